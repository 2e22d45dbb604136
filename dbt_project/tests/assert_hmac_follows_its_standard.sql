-- Test cases 1, 2 and 6 of RFC 4231. If this fails, the pseudonyms are not what they are said
-- to be: a keyed hash that nobody can undo by hashing all numbers.
with vectors as (
    select
        name,
        decode(key, 'hex') as key,
        message,
        decode(digest, 'hex') as digest
    from (
        values
        (
            '1: key of 20 bytes', repeat('0b', 20), 'Hi There',
            'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'
        ),
        (
            '2: key shorter than the digest', '4a656665', 'what do ya want for nothing?',
            '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
        ),
        (
            '6: key longer than a block', repeat('aa', 131), 'Test Using Larger Than Block-Size Key - Hash Key First',
            '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'
        )
    ) as vector (name, key, message, digest)
)

select name
from vectors
where {{ hmac_sha256('message', 'key') }} is distinct from digest
