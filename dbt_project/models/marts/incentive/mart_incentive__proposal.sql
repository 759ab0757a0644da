-- Grain: one row per scenario, payee, plan version, period and proposal that the plan makes.
-- What was paid stays as it was.
{{ paid_else_reckoned(source('closed', 'proposal'), ref('int_incentive__proposal')) }}
