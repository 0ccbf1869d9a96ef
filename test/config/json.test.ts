import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JsonFault, parseJson } from '../../host/config/json.js';

describe('JSON that is none is refused with its line and column', () => {
  const cases: [what: string, text: string, says: string][] = [
    ['nothing', '', '1:1: a value is missing here; the file ends too early'],
    ['blanks', ' \n ', '2:2: a value is missing here; the file ends too early'],
    ['a word', 'yes', '1:1: a value is missing here'],
    ['an unfinished word', '{"a": tru}', '1:7: a value is missing here'],
    ['a number with a zero before it', '{"a": 04}', '1:7: a value is missing here'],
    ['a hexadecimal number', '{"a": 0x44}', '1:7: a value is missing here'],
    ['a comment', '{\n  // why\n  "a": 1\n}', '2:3: a key in double quotes is missing here; JSON has no comments'],
    ['a comment where a value stands', '[/* why */ 1]', '1:2: a value is missing here; JSON has no comments'],
    ['a key without quotes', '{a: 1}', '1:2: a key in double quotes is missing here'],
    ['single quotes', '{"a": \'b\'}', '1:7: a text stands in double quotes, not single ones'],
    ['no colon', '{"a" 1}', '1:6: a colon is missing between the key and its value'],
    ['no comma in an object', '{\n  "a": 1\n  "b": 2\n}', '3:3: a comma or a } is missing here'],
    ['no comma in a list', '[1 2]', '1:4: a comma or a ] is missing here'],
    ['a comma too many in an object', '{"a": 1,\n}', '2:1: a comma stands before the }; remove it'],
    ['a comma too many in a list', '[1, ]', '1:5: a comma stands before the ]; remove it'],
    ['an object that is not closed', '{"a": 1', '1:8: the file ends within a {; close it'],
    ['a list that is not closed', '[1', '1:3: the file ends within a [; close it'],
    ['more behind the end', '{}\n{}', '2:1: there is more behind the end of the value; remove it'],
    ['a text that is not closed', '{"客厅": "b\n}', '1:8: the quotation mark is not closed on this line'],
    ['a tab in a text', '"a\tb"', '1:3: a control character stands in a text; write it as \\u and four digits, or \\t'],
    ['an escape that is none', '"a\\x"', '1:3: behind a backslash stands one of " \\ / b f n r t, or u and four hexadecimal digits'],
    [
      'an escape with three digits',
      '"\\u12g4"',
      '1:2: behind a backslash stands one of " \\ / b f n r t, or u and four hexadecimal digits',
    ],
    ['a key twice', '{"a": 1,\n "a": 2}', '2:2: this key is given twice; remove one of them'],
    ['a key twice that an object always has', '{"__proto__": 1, "__proto__": 2}', '1:18: this key is given twice; remove one of them'],
    ['a byte order mark does not count as a column', '\ufeff{a}', '1:2: a key in double quotes is missing here'],
    ['too deep', '['.repeat(70), '1:66: values are nested more than 64 deep; make it flatter'],
  ];
  for (const [what, text, says] of cases) {
    test(what, () => {
      assert.throws(
        () => parseJson(text),
        (error) => error instanceof JsonFault && error.message === says,
        `expected ${says}`,
      );
    });
  }
});

describe('JSON is read as JSON.parse reads it', () => {
  const texts = [
    '{}',
    '[]',
    ' [ ] ',
    'null',
    '-0.5e+2',
    '1E3',
    '{"a": [1, {"b": null}, true, false], "": "x"}',
    '"\\u6e29\\u5ea6 \\" \\\\ \\/ \\b \\f \\n \\r \\t \\ud83c\\udf21"',
    '\r\n\t{"客厅" :\r\n"温度"}\n',
  ];
  for (const text of texts) test(JSON.stringify(text), () => assert.deepEqual(parseJson(text), JSON.parse(text)));

  test('a key __proto__ is a key', () => {
    const value = parseJson('{"__proto__": {"x": 1}}');
    assert.deepEqual(Object.keys(value as object), ['__proto__']);
    assert.equal(({} as { x?: number }).x, undefined);
  });
});
