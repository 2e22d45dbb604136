-- The only division of a numerator by a denominator: dbt (macro `rate`), `khochung figures` and whoever queries `kpi` use
-- it. Idempotent: applied at every start.

-- factor: 100 for percent, 1000 for per mille, 1 for a mean. Null over a denominator of nought: nothing was there to be
-- measured. Two decimals, as QĐ 766/QĐ-TTg shows its indicators.
create or replace function kpi.rate(numerator numeric, denominator numeric, factor numeric default 100) returns numeric
language sql immutable parallel safe
return round(factor * numerator / nullif(denominator, 0), 2);

-- The value of a metric: a rate where it has a denominator, else what was counted.
create or replace function kpi.value(numerator numeric, denominator numeric, factor numeric) returns numeric
language sql immutable parallel safe
return case when factor is null then round(numerator, 2) else kpi.rate(numerator, denominator, factor) end;
