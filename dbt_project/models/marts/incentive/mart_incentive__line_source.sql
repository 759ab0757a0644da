-- Grain: one row per statement line and row behind it: a sale line, return or payment, or the line, target, draw it follows from.
-- What was paid stays as it was.
{{ by_fiscal_month('int_incentive__pay_state') }}
{{ paid_else_reckoned(source('closed', 'line_source'), ref('int_incentive__line_source')) }}
