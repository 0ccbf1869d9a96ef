import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PredefinedError, parsePredefined, readPredefined } from '../../host/gateway/predefined.js';

const parse = (content: string | Buffer) => parsePredefined(Buffer.from(content), 'topics');

describe('a file of pre-defined topics', () => {
  test('has an id and a topic a line, and comments', () => {
    const topics = parse('\ufeff# sensors\r\n1 myhome/底楼/客厅/温度\r\n\r\n  65534\ta b \n# end');
    assert.deepEqual(
      [topics.size, topics.topicOf(1), topics.topicOf(65_534), topics.idOf('a b')],
      [2, 'myhome/底楼/客厅/温度', 'a b', 65_534],
    );
    assert.deepEqual([topics.topicOf(2), topics.idOf('c')], [undefined, undefined]);
  });

  test('may be empty', () => assert.equal(parse('').size, 0));

  const refused: [what: string, content: string | Buffer, says: RegExp][] = [
    ['an id that was given', '1 a\n1 b', /^topics:2: the id 1 was given in line 1/],
    ['a topic that has an id', '1 a\n# …\n2 a', /^topics:3: the topic 'a' has an id since line 1/],
    ['id 0', '0 a', /^topics:1: the id '0' is not a whole number from 1 to 65534/],
    ['id 65535', '65535 a', /'65535'/],
    ['an id that is no number', '0x1 a', /'0x1'/],
    ['a negative id', '-1 a', /'-1'/],
    ['a line without a topic', '1', /'1' is not an id and a topic/],
    ['a wildcard', '1 a/#', /topic 'a\/#': .*must not contain/],
    ['bytes that are not UTF-8', Buffer.from([0x31, 0x20, 0x61, 0x0a, 0x32, 0x20, 0xff]), /^topics:2: the line is not UTF-8/],
    ['U+0000', '1 a\0b', /^topics:1: the line is not UTF-8/],
    ['a topic over the limit', `1 ${'x'.repeat(65_536)}`, /longer than 65535/],
  ];
  for (const [what, content, says] of refused) {
    test(`is refused for ${what}`, () => {
      assert.throws(
        () => parse(content),
        (error) => error instanceof PredefinedError && says.test(error.message),
      );
    });
  }

  test('that is not there is named', () => {
    assert.throws(() => readPredefined('/nonexistent/topics'), /cannot read '\/nonexistent\/topics'/);
  });
});
