{#- Currencies whose minor unit is not a hundredth (ISO 4217), by its decimals. -#}
{% macro minor_units() -%}
    {{ return({
        0: [
            'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF',
        ],
        3: [
            'BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND',
        ],
        4: [
            'CLF', 'UYW',
        ],
    }) }}
{%- endmacro %}
