-- Grain: one row per scenario, payee, plan version, component, currency, period and kind of balance; of draws by draw.
-- What was paid stays as it was.
{{ paid_else_reckoned('balance') }}
