# The texts to adapt a base to: each once, without those of validation and test.
reduce ($validation[], $test[]) as $record ({}; .[$record.text] = true)
| foreach inputs as $record (
    {seen: ., text: null};
    .text = (if .seen[$record.text] then null else $record.text end) | .seen[$record.text] = true;
    select(.text != null) | {text})
