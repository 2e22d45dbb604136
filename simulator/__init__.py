"""Stand-in source systems of a province. All people are generated. Shares no code with khochung."""

NOTICE = "people are generated"
NOTICE_VI = "Dữ liệu sinh tự động, không có người thật"
