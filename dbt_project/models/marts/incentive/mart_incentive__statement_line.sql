-- Grain: one row per scenario, payee, plan version, component, currency, period, kind of line and what it is about.
-- What was paid stays as it was.
{{ paid_else_reckoned(source('closed', 'statement_line'), ref('int_incentive__statement_line')) }}
