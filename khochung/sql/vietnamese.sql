-- Vietnamese text for people who write SQL: search without accents, and the order of the dictionary. Idempotent: applied at
-- every start. Plain SQL, immutable and without extensions or ICU, so that they serve in an index expression on any
-- PostgreSQL, whatever its collation. In the C locale lower() leaves accented capitals alone: hence the tables below.

create schema if not exists lib;
grant usage on schema lib to public;

comment on schema lib is 'Functions for everybody who writes SQL: tìm kiếm không dấu, sắp xếp theo bảng chữ cái tiếng Việt.';

create or replace function lib.vi_lower(value text) returns text
language sql immutable strict parallel safe as $$
    select lower(translate(
        normalize(value, nfc),
        U&'\00D0\0189\00F0ÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬĐÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴ',
        'đđđàáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ'
    ))
$$;

comment on function lib.vi_lower(text) is 'Chữ thường, dạng NFC / Lower case in NFC; also where the locale does not know Vietnamese.';

create or replace function lib.vi_search(value text) returns text
language sql immutable strict parallel safe as $$
    select btrim(regexp_replace(
        translate(
            lib.vi_lower(value),
            'àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ',
            'aaaaaaaaaaaaaaaaadeeeeeeeeeeeiiiiiooooooooooooooooouuuuuuuuuuuyyyyy'
        ),
        '[^a-z0-9]+', ' ', 'g'
    ))
$$;

comment on function lib.vi_search(text) is
'Bỏ dấu để tìm kiếm: "Đức Hòa" thành "duc hoa" / Without accents, đ included: for search only, since Thành and Thạnh become one.';

-- Three levels behind one another: the letters (a ă â b c d đ e ê … o ô ơ … u ư …), then the tones (ngang huyền hỏi ngã sắc
-- nặng), then case, small before capital. f, j, w and z, which Vietnamese borrows, stand where Latin has them. Bytes, because
-- these are compared alike under any collation.
create or replace function lib.vi_sort_key(value text) returns bytea
language sql immutable strict parallel safe as $$
    select convert_to(
        translate(
            translate(
                lib.vi_lower(value),
                'àáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ',
                'aaaaaăăăăăâââââeeeeeêêêêêiiiiioooooôôôôôơơơơơuuuuuưưưưưyyyyy'
            ),
            'aăâbcdđeêfghijklmnoôơpqrstuưvwxyz',
            'ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`a'
        )
        || chr(9) || translate(
            lib.vi_lower(value),
            'aàảãáạăằẳẵắặâầẩẫấậeèẻẽéẹêềểễếệiìỉĩíịoòỏõóọôồổỗốộơờởỡớợuùủũúụưừửữứựyỳỷỹýỵbcdđfghjklmnpqrstvwxz',
            repeat('012345', 12)
        )
        || chr(9) || regexp_replace(
            translate(
                normalize(value, nfc),
                'ABCDEFGHIJKLMNOPQRSTUVWXYZÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬĐÈÉẺẼẸÊỀẾỂỄỆÌÍỈĨỊÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢÙÚỦŨỤƯỪỨỬỮỰỲÝỶỸỴ',
                repeat('1', 93)
            ),
            '[^1]', '0', 'g'
        ),
        'UTF8'
    )
$$;

comment on function lib.vi_sort_key(text) is
'Thứ tự từ điển tiếng Việt / Order of the Vietnamese dictionary: order by lib.vi_sort_key(name), whatever the collation.';
