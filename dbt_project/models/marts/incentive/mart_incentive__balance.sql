-- Grain: one row per scenario, payee, plan version, component, currency, period and kind of balance; of draws by draw.
-- What was paid stays as it was.
{{ paid_else_reckoned(source('closed', 'balance'), ref('int_incentive__balance')) }}
