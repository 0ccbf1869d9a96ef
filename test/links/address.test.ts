import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_DISCOVERY,
  CONFIG_PROTOCOL,
  REASON_CERTIFICATE,
  REASON_NAME,
  REASON_OTHER,
  REASON_REFUSED,
  REASON_RESET,
  REASON_TLS,
  REASON_UNREACHABLE,
  reasonNames,
} from '../../host/contract.js';
import { discoveryAt, linkTo, parseAddress, routeTo } from '../../host/links/address.js';
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

  for (const [url, host, port, search] of [
    ['mqtt-sn://gateway', 'gateway', 1884, false],
    ['MQTT-SN://gateway:1885/', 'gateway', 1885, false],
    ['mqtt-sn://[::1]', '::1', 1884, false],
    ['mqtt-sn://127.0.0.1?search', '127.0.0.1', 1884, true],
    ['mqtt-sn://127.255.255.255:2000?search', '127.255.255.255', 2000, true],
    ['mqtt-sn://255.255.255.255', '255.255.255.255', 1884, true],
    ['mqtt-sn://223.255.255.255', '223.255.255.255', 1884, false],
    ['mqtt-sn://224.0.0.0', '224.0.0.0', 1884, true],
    ['mqtt-sn://239.255.255.255?search=', '239.255.255.255', 1884, true],
    ['mqtt-sn://240.0.0.1', '240.0.0.1', 1884, false],
    ['mqtt-sn://[FF02:0::1]:1', 'ff02::1', 1, true],
    ['mqtt-sn://[fe80::ff02]', 'fe80::ff02', 1884, false],
  ] as const) {
    test(`reads ${url}`, () => {
      assert.deepEqual(parseAddress(url), { carrier: 'udp', host, port, search });
      const { links, discovery, config } = routeTo(url);
      assert.deepEqual([links.length, discovery !== undefined], search ? [0, true] : [1, false]);
      assert.deepEqual([config.get(CONFIG_PROTOCOL), config.get(CONFIG_DISCOVERY)], [1, search ? 1 : 0]);
    });
  }

  for (const [url, path, baud] of [
    ['mqtt-sn+serial:///dev/ttyUSB0', '/dev/ttyUSB0', 115200],
    ['mqtt-sn+serial:///dev/ttyUSB0?baud=9600', '/dev/ttyUSB0', 9600],
    ['mqtt-sn+serial:///dev/serial/by-id/a%20b', '/dev/serial/by-id/a b', 115200],
  ] as const) {
    test(`reads ${url}`, () => {
      assert.deepEqual(parseAddress(url), { carrier: 'serial', path, baud });
      const { links, discovery, config } = routeTo(url);
      assert.deepEqual([links.length, discovery], [1, undefined]);
      assert.deepEqual([config.get(CONFIG_PROTOCOL), config.get(CONFIG_DISCOVERY)], [1, 0]);
    });
  }

  test('tells MQTT and MQTT-SN apart', () => {
    const { links, discovery, config } = routeTo('mqtt://224.0.0.1');
    assert.deepEqual([links.length, discovery], [1, undefined]);
    assert.deepEqual([config.get(CONFIG_PROTOCOL), config.get(CONFIG_DISCOVERY)], [0, 0]);
    assert.equal(discoveryAt('mqtt://224.0.0.1'), undefined);
    assert.equal(discoveryAt('mqtt-sn://gateway'), undefined);
  });

  test('no link leads to where gateways are searched', () => {
    assert.throws(() => linkTo('mqtt-sn://239.1.2.3'), /^TypeError: address 'mqtt-sn:\/\/239.1.2.3': gateways are searched there/);
  });

  for (const [url, shown, complaint] of [
    ['mqtt-sn://u:secret@gateway', 'mqtt-sn://…@gateway', 'MQTT-SN 1.2 has no user names and passwords'],
    ['mqtt-sn://u@gateway', 'mqtt-sn://…@gateway', 'MQTT-SN 1.2 has no user names and passwords'],
    ['mqtt-sn://gateway/topic', 'mqtt-sn://gateway/topic', 'an address of MQTT-SN has no path'],
    ['mqtt-sn://gateway#a', 'mqtt-sn://gateway#…', 'an address of MQTT-SN has no path'],
    ['mqtt-sn://gateway?serach', 'mqtt-sn://gateway?…', "'serach' is not known behind the ?; 'search' is"],
    ['mqtt-sn://gateway?search=no', 'mqtt-sn://gateway?…', "'search' has no value"],
    ['mqtt-sn://gateway?search&search', 'mqtt-sn://gateway?…', "'search' stands there twice"],
    ['mqtt-sn://gateway:0', 'mqtt-sn://gateway:0', 'port 0 is not within 1 to 65535'],
    ['mqtt-sn://gateway:65536', 'mqtt-sn://gateway:65536', 'port 65536 is not within 1 to 65535'],
    ['mqtt-sn://', 'mqtt-sn://', 'its host is missing'],
    ['mqtts-sn://gateway', 'mqtts-sn://gateway', 'the scheme mqtts-sn:// is not known'],
    ['mqtt-sn+serial://dev/ttyUSB0', 'mqtt-sn+serial://dev/ttyUSB0', 'a host stands where the path of a serial port should'],
    ['mqtt-sn+serial://', 'mqtt-sn+serial://', 'its path is missing'],
    ['mqtt-sn+serial:///', 'mqtt-sn+serial:///', 'its path is missing'],
    ['mqtt-sn+serial:///dev/a%b', 'mqtt-sn+serial:///dev/a%b', 'in its path, a % is not followed by two hexadecimal digits'],
    ['mqtt-sn+serial:///dev/a?baud=fast', 'mqtt-sn+serial:///dev/a?…', "baud 'fast' is not a whole number within 50 to 4000000"],
    ['mqtt-sn+serial:///dev/a?baud=', 'mqtt-sn+serial:///dev/a?…', "baud '' is not a whole number"],
    ['mqtt-sn+serial:///dev/a?baud=49', 'mqtt-sn+serial:///dev/a?…', "baud '49' is not a whole number within"],
    ['mqtt-sn+serial:///dev/a?rate=9600', 'mqtt-sn+serial:///dev/a?…', "'rate' is not known behind the ?; 'baud' is"],
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
