-- Grain: one row per scenario, payee, plan version, period and currency.
-- What was paid stays as it was.
{{ paid_else_reckoned(source('closed', 'statement'), ref('int_incentive__statement')) }}
