import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  REASON_CERTIFICATE,
  REASON_NAME,
  REASON_OTHER,
  REASON_REFUSED,
  REASON_RESET,
  REASON_TLS,
  REASON_UNREACHABLE,
  reasonNames,
} from '../../host/contract.js';
import { linkTo, parseAddress } from '../../host/links/address.js';
import { explain } from '../../host/links/stream.js';

describe('addresses', () => {
  for (const [url, carrier, host, port, path] of [
    ['mqtt://broker', 'tcp', 'broker', 1883, '/'],
    ['MQTT://broker', 'tcp', 'broker', 1883, '/'],
    ['tcp://broker:1884', 'tcp', 'broker', 1884, '/'],
    ['mqtts://broker', 'tls', 'broker', 8883, '/'],
    ['ssl://broker', 'tls', 'broker', 8883, '/'],
    ['tls://broker:443', 'tls', 'broker', 443, '/'],
    ['ws://broker', 'ws', 'broker', 80, '/'],
    ['wss://broker/mqtt?a=b#c', 'wss', 'broker', 443, '/mqtt?a=b'],
    ['mqtt://[::1]', 'tcp', '::1', 1883, '/'],
    ['ws://[::1]:8080/mqtt', 'ws', '::1', 8080, '/mqtt'],
    ['mqtt://user:pass@broker:1', 'tcp', 'broker', 1, '/'],
    ['mqtt://my_broker:65535', 'tcp', 'my_broker', 65535, '/'],
    ['mqtt://münchen.example', 'tcp', 'xn--mnchen-3ya.example', 1883, '/'],
  ] as const) {
    test(`reads ${url}`, () => assert.deepEqual(parseAddress(url), { carrier, host, port, path }));
  }

  for (const [url, shown, complaint] of [
    ['broker', 'broker', 'it has no scheme'],
    ['localhost:1883', 'localhost:1883', 'it has no scheme'],
    ['', '', 'it has no scheme'],
    ['http://broker', 'http://broker', 'the scheme http:// is not known'],
    ['constructor://broker', 'constructor://broker', 'the scheme constructor:// is not known'],
    ['mqtt://', 'mqtt://', 'its host is missing'],
    ['mqtt:///topic', 'mqtt:///topic', 'its host is missing'],
    ['ws://', 'ws://', 'its host is missing'],
    ['mqtt://:1883', 'mqtt://:1883', 'its host is missing'],
    ['mqtt://broker:0', 'mqtt://broker:0', 'port 0 is not within 1 to 65535'],
    ['ws://broker:65536/mqtt', 'ws://broker:65536/mqtt', 'port 65536 is not within 1 to 65535'],
    ['mqtt://broker:-1', 'mqtt://broker:…', 'its host is missing, or host or port are malformed'],
    ['mqtt://[::1', 'mqtt://[::1', 'its host is missing, or host or port are malformed'],
    ['mqtt://a%20b', 'mqtt://a%20b', 'its host is not a valid name'],
    ['mqtt://a%ffb', 'mqtt://a%ffb', 'its host is not a valid name'],
    ['amqp://u:secret@broker', 'amqp://…@broker', 'the scheme amqp:// is not known'],
    ['mqtt://u:secret@broker:70000', 'mqtt://…@broker:70000', 'port 70000 is not within'],
    ['mqtt://u:sec/ret?x#y@z@broker', 'mqtt://…@broker', 'malformed'],
    ['mqtt://u:70000/secret@broker', 'mqtt://…@broker', 'malformed'],
    ['mqtt://u:secret', 'mqtt://u:…', 'malformed'],
    ['mqtt://u:1secret', 'mqtt://u:…', 'malformed'],
    ['u:secret@broker', '…@broker', 'it has no scheme'],
    ['https://broker/mqtt?token=secret', 'https://broker/mqtt?…', 'the scheme https:// is not known'],
  ] as const) {
    test(`refuses '${url}'`, () => {
      assert.throws(
        () => linkTo(url),
        (error: Error) => {
          assert.ok(error instanceof TypeError);
          assert.ok(error.message.startsWith(`address '${shown}': ${complaint}`) || error.message.includes(complaint), error.message);
          assert.ok(error.message.includes(`'${shown}'`), error.message);
          assert.match(error.message, /mqtts:\/\/.*wss:\/\//);
          assert.doesNotMatch(error.stack ?? '', /secret/);
          return true;
        },
      );
    });
  }

  test('refuses keys that cannot be read before anything is opened', () => {
    assert.throws(() => linkTo('mqtts://u:secret@broker', { cert: 'x', key: 'y' }), /^TypeError: TLS to broker:8883: .*PEM/);
    assert.throws(() => linkTo('wss://broker', { cert: 'x', key: 'y' }), /PEM/);
  });

  test('refuses headers that HTTP does not allow before anything is opened', () => {
    assert.throws(() => linkTo('ws://broker', { headers: { 'a b': 'c' } }), TypeError);
    assert.throws(() => linkTo('ws://broker', { headers: { a: 'b\r\nc: d' } }), TypeError);
  });
});

describe('reasons', () => {
  const failure = (code: string) => Object.assign(new Error(code), { code });
  for (const [code, reason] of [
    ['ECONNREFUSED', REASON_REFUSED],
    ['EHOSTUNREACH', REASON_UNREACHABLE],
    ['ENETUNREACH', REASON_UNREACHABLE],
    ['ETIMEDOUT', REASON_UNREACHABLE],
    ['ENOTFOUND', REASON_NAME],
    ['EAI_AGAIN', REASON_NAME],
    ['ECONNRESET', REASON_RESET],
    ['EPIPE', REASON_RESET],
    ['EPROTO', REASON_TLS],
    ['ERR_SSL_WRONG_VERSION_NUMBER', REASON_TLS],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', REASON_TLS],
    ['ERR_TLS_CERT_ALTNAME_INVALID', REASON_CERTIFICATE],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', REASON_CERTIFICATE],
    ['SELF_SIGNED_CERT_IN_CHAIN', REASON_CERTIFICATE],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', REASON_CERTIFICATE],
    ['UNABLE_TO_GET_ISSUER_CERT', REASON_CERTIFICATE],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', REASON_CERTIFICATE],
    ['CERT_HAS_EXPIRED', REASON_CERTIFICATE],
    ['CERT_NOT_YET_VALID', REASON_CERTIFICATE],
    ['CERT_REVOKED', REASON_CERTIFICATE],
    ['INVALID_CA', REASON_CERTIFICATE],
    ['INVALID_PURPOSE', REASON_CERTIFICATE],
    ['HOSTNAME_MISMATCH', REASON_CERTIFICATE],
    ['EMFILE', REASON_OTHER],
  ] as const) {
    test(`${code} is '${reasonNames[reason]}'`, () => assert.deepEqual(explain(failure(code)), [reason, code]));
  }

  test('the first of several addresses tried speaks for all', () => {
    const all = new AggregateError([failure('ENETUNREACH'), failure('ECONNREFUSED')]);
    assert.deepEqual(explain(all), [REASON_UNREACHABLE, 'ENETUNREACH']);
  });
});
