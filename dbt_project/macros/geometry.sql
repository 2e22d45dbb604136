{# Plane geometry without PostGIS: PostgreSQL's own types path and point do what parcels need. #}

{# The closed path of a WKT polygon without holes, in PostgreSQL's spelling ((x,y),(x,y)); meaningless for another text. #}
{% macro wkt_ring(wkt) -%}
    replace(replace(replace(btrim(substr({{ wkt }}, 8)), ', ', ','), ',', '),('), ' ', ',')
{%- endmacro %}

{# The area inside a WKT polygon, in the square of its unit; null where it is none. #}
{% macro wkt_area(wkt) -%}
    case
        when left({{ wkt }}, 7) = 'POLYGON' and pg_input_is_valid({{ wkt_ring(wkt) }}, 'path')
            then area(cast({{ wkt_ring(wkt) }} as path))
    end
{%- endmacro %}

{# Kilometres between two points given in degrees; good to a thousandth within a province. #}
{% macro distance_km(longitude, latitude, other_longitude, other_latitude) -%}
    sqrt(
        power(111.32 * cos(radians({{ other_latitude }})) * ({{ longitude }} - {{ other_longitude }}), 2)
        + power(110.6 * ({{ latitude }} - {{ other_latitude }}), 2)
    )
{%- endmacro %}
