import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { type Clock, realClock } from '../../host/clock.js';
import { decode } from '../../host/gateway/decode.js';
import * as sn from '../../host/gateway/encode.js';
import { Gateway, type Transport } from '../../host/gateway/gateway.js';
import { serialTransport } from '../../host/gateway/serial.js';
import { openUdp } from '../../host/gateway/udp.js';
import { openSerial } from '../../host/links/serial.js';
import { skipSocat, wire } from '../links/wire.js';

const signal = () => AbortSignal.timeout(10_000);
const noBroker = () => {
  throw new Error('nobody connects');
};

describe('over UDP', () => {
  const groups: [what: string, host: string][] = [
    ['broadcast', '127.255.255.255'],
    ['multicast', '239.18.84.1'],
  ];
  for (const [what, host] of groups) {
    test(`a gateway advertises and is found by ${what}, and answers from its own port`, async (t) => {
      // The device hears the group at a port of its own choice, which the gateway shares.
      const device = createSocket({ type: 'udp4', reuseAddr: true });
      t.after(() => device.close());
      device.bind(0, '0.0.0.0');
      await once(device, 'listening');
      device.setBroadcast(true);
      if (what === 'multicast') {
        device.addMembership(host, '127.0.0.1');
        device.setMulticastInterface('127.0.0.1');
      }
      const { port } = device.address() as AddressInfo;
      let gateway: Gateway | undefined;
      const udp = await openUdp({ port: 0, host: '127.0.0.1', group: { host, port } }, (datagram, peer) =>
        gateway?.receive(datagram, peer),
      );
      t.after(() => udp.close());
      gateway = new Gateway({ transport: udp, openBroker: noBroker, limits: { advertise: 60 } });
      const heard: string[] = [];
      device.on('message', (datagram, from) => {
        const message = decode(datagram);
        if (typeof message !== 'string' && message.type !== 'SEARCHGW')
          heard.push(`${message.type} from ${from.port === udp.port ? 'the gateway' : from.port}`);
      });
      gateway.start();
      await once(device, 'message', { signal: signal() });
      device.send(sn.searchgw(0), port, host);
      while (heard.length < 2) await once(device, 'message', { signal: signal() });
      await new Promise<void>((resolve) => gateway?.stop(resolve));
      assert.deepEqual(heard, ['ADVERTISE from the gateway', 'GWINFO from the gateway']);
    });
  }

  test('a flood of garbage from one address does not keep a client waiting', async (t) => {
    let gateway: Gateway | undefined;
    const udp = await openUdp({ port: 0, host: '127.0.0.1' }, (datagram, peer) => gateway?.receive(datagram, peer));
    t.after(() => udp.close());
    gateway = new Gateway({ transport: udp, openBroker: noBroker });
    const [bad, good] = [createSocket('udp4'), createSocket('udp4')];
    t.after(() => bad.close());
    t.after(() => good.close());
    const garbage = Buffer.alloc(64, 0xff);
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 1000; i++) bad.send(garbage, udp.port, '127.0.0.1');
      good.send(sn.searchgw(0), udp.port, '127.0.0.1');
      await once(good, 'message', { signal: signal() });
    }
    await new Promise<void>((resolve) => gateway?.stop(resolve));
  });
});

describe('over a serial line', { skip: skipSocat }, () => {
  test('what is of the line itself is no client of the gateway; a console line is said', async (t) => {
    const { ends } = await wire(t);
    const received: string[] = [];
    const said: string[] = [];
    let came = () => {};
    const last = new Promise<void>((resolve) => {
      came = resolve;
    });
    const line = await serialTransport(
      ends[1],
      115_200,
      (datagram) => {
        received.push(Buffer.from(datagram).toString('hex'));
        came();
      },
      (text) => said.push(text),
      realClock,
    );
    t.after(() => line.close());
    const board = openSerial(ends[0], 115_200, {
      opened() {
        // hello, a console line with an escape in it, an event, an open; then SEARCHGW
        for (const message of ['000001000000000100000000', '0001686f1b74', '00027b7d', '001000000001000000000000', '030100'])
          board.send(Buffer.from(message, 'hex'));
      },
      writable: () => {},
      received: () => {},
      closed: () => {}, // the wire may end first
    });
    t.after(() => board.close());
    await last;
    assert.deepEqual([received, said], [['030100'], [`${ends[1]}: ho\\u001bt`]]);
  });

  test('messages pass both ways, and the line is opened again when it comes back', async (t) => {
    const { ends, process } = await wire(t);
    const said: string[] = [];
    let changed = () => {};
    const say = (text: string) => {
      said.push(text);
      changed();
    };
    const hasty: Clock = { now: realClock.now, after: (ms, action) => realClock.after(ms / 100, action) };
    let gateway: Gateway | undefined;
    const line = await serialTransport(ends[1], 115_200, (datagram, peer) => gateway?.receive(datagram, peer), say, hasty);
    t.after(() => line.close());
    const transport: Transport = line;
    gateway = new Gateway({ transport, openBroker: noBroker });
    assert.equal(transport.largest?.(line.peer), 1024);
    const answer = await new Promise<string>((resolve, reject) => {
      const board = openSerial(ends[0], 115_200, {
        opened: () => void board.send(sn.searchgw(0)),
        writable: () => {},
        received: (datagram) => resolve(Buffer.from(datagram).toString('hex')),
        closed: (_reason, message) => reject(new Error(message)),
      });
      t.after(() => board.close());
    });
    assert.equal(answer, '030201');
    process.kill('SIGKILL');
    const says = async (pattern: RegExp) => {
      while (!pattern.test(said.join('\n')))
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
    };
    await says(/is gone/);
    const again = spawn(
      'socat',
      ends.map((path) => `pty,rawer,link=${path}`),
      { stdio: 'ignore' },
    );
    t.after(() => again.kill('SIGKILL'));
    await says(/is back/);
    await new Promise<void>((resolve) => gateway?.stop(resolve));
  });
});
