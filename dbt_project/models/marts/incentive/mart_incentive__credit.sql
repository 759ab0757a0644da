-- Grain: one row per scenario, payee, plan version and event credited to the payee, by component and rule; or by none.
-- What was paid stays as it was.
{{ by_fiscal_month('dirty_pay_month') }}
{{ paid_else_reckoned(source('closed', 'credit'), ref('int_incentive__credit')) }}
