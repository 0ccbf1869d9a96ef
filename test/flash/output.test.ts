import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EsptoolOutput, explainFailure } from '../../host/flash/output.js';
import { keepsSettings, readPartitions } from '../../host/flash/partitions.js';
import { partition } from './boot-loader.js';

const parts = [
  { offset: 0, path: '/bootloader.bin', size: 1000 },
  { offset: 0x10000, path: '/app.bin', size: 3000 },
];

/** What esptool says of two files: of 5.6, and of 5.0, which had another bar and other units. */
const runs: [version: string, lines: string[]][] = [
  [
    '5.6',
    [
      'Connecting...NOTE: Failed to get VID/PID of a device',
      'Detecting chip type... ESP32-C3',
      'Chip type:          ESP32-C3 (QFN32) (revision v0.4)',
      "Writing 'bootloader.bin' at 0x00000000...",
      'Writing at 0x000001f4 ━━━━━━━━━━━━━━━               50.0% 500B/0.98kB [0s] ',
      'Wrote 1000 bytes (800 compressed) at 0x00000000 in 0.1 seconds (2981.3 kbit/s).',
      'Verifying written data...',
      'Hash of data verified.',
      "Writing 'app.bin' at 0x00010000...",
      'Writing at 0x00010800 ━━━━━━━━━━━━━━━               50.0% 1.46kB/2.93kB [0s] ',
      'Verifying written data...',
      'Hash of data verified.',
      'Hard resetting via RTS pin...',
    ],
  ],
  [
    '5.0',
    [
      'Connecting....',
      'Connected to ESP32-C3 on /dev/ttyUSB0:',
      "Writing 'bootloader.bin' at 0x00000000...",
      'Writing at 0x00000000 [===============>              ]  50.0% 400/800 bytes... ',
      'Wrote 1000 bytes (800 compressed) at 0x00000000 in 0.1 seconds (2981.3 kbit/s).',
      'Verifying written data...',
      'Hash of data verified.',
      "Writing 'app.bin' at 0x00010000...",
      'Writing at 0x00010000 [===============>              ]  50.0% 700/1400 bytes... ',
      'Verifying written data...',
      'Hash of data verified.',
      'Hard resetting via RTS pin...',
    ],
  ],
];

describe('the output of esptool', () => {
  for (const [version, lines] of runs)
    test(`${version}: how far it is, of all bytes`, () => {
      const output = new EsptoolOutput(parts);
      const steps = lines.map((line) => output.line(line)).filter((step) => step !== undefined);
      assert.deepEqual(
        steps.map(({ stage, part, fraction }) => `${stage} ${part} ${fraction}`),
        [
          'connecting 0 0',
          'writing 0 0',
          'writing 0 0.125',
          'writing 0 0.25',
          'verifying 0 0.25',
          'writing 1 0.25',
          'writing 1 0.625',
          'verifying 1 1',
          'resetting 1 1',
        ],
      );
      assert.deepEqual([output.verified, output.begun], [2, true]);
      assert.doesNotMatch(output.words, /Writing at/);
    });

  test('begins to change the flash when it erases', () => {
    const output = new EsptoolOutput(parts);
    output.line('Stub flasher running.');
    assert.equal(output.begun, false);
    assert.equal(output.line('Erasing flash memory (this may take a while)...')?.stage, 'erasing');
    assert.equal(output.begun, true);
    assert.equal(output.line(''), undefined);
  });
});

describe('a failure of esptool is one sentence', () => {
  const cases: [what: string, words: string, begun: boolean, says: RegExp][] = [
    [
      'no port',
      "Could not open /dev/p, the port is busy or doesn't exist.\n([Errno 2] could not open port /dev/p: [Errno 2] No such file or directory: '/dev/p')",
      false,
      /^\/dev\/p is not there; is the board plugged in\?$/,
    ],
    [
      'a busy port',
      "Could not open /dev/p, the port is busy or doesn't exist.\n([Errno 11] Could not exclusively lock port /dev/p: [Errno 11] Resource temporarily unavailable)",
      false,
      /^\/dev\/p is in use by another program; end that first$/,
    ],
    [
      'no permission',
      "Could not open /dev/p, the port is busy or doesn't exist.\n([Errno 13] could not open port /dev/p: [Errno 13] Permission denied: '/dev/p')",
      false,
      /^no permission for \/dev\/p; /,
    ],
    [
      'another chip',
      'A fatal error occurred: This chip is ESP32, not ESP32-C3. Wrong chip argument?',
      false,
      /^the chip at \/dev\/p is an ESP32, and the board b has an ESP32-C3: nothing was written; name the right board/,
    ],
    [
      'a chip of tomorrow',
      'A fatal error occurred: Unexpected chip ID value 99. Failed to autodetect chip type.',
      false,
      /is there a newer esptool\?$/,
    ],
    [
      'the firmware runs',
      'Failed to connect to ESP32: Wrong boot mode detected (0x13)! The chip needs to be in download mode.',
      false,
      /runs its firmware .*; hold BOOT/,
    ],
    [
      'a deaf chip',
      'Failed to connect to ESP32: Download mode successfully detected, but getting no sync reply: The serial TX',
      false,
      /the wire to its RX is broken/,
    ],
    [
      'silence',
      'A fatal error occurred: Failed to connect to ESP32-C3: No serial data received.',
      false,
      /^no chip answers at \/dev\/p; hold BOOT, press/,
    ],
    [
      'a small flash',
      'A fatal error occurred: app.bin (length 99) at offset 0 will not fit in 2097152 bytes of flash.',
      false,
      /does not fit into the flash/,
    ],
    [
      'a locked chip',
      'A fatal error occurred: Secure Boot V1 detected, writing to flash regions < 0x8000 is disabled',
      false,
      /is locked, by secure boot/,
    ],
    ['a worn flash', 'A fatal error occurred: MD5 of file does not match data in flash!', true, /reads back otherwise: .* --baud 115200/],
    [
      'silence after it began',
      'A fatal error occurred: Timed out waiting for packet header.',
      true,
      /^writing at \/dev\/p broke off \(Timed out waiting for packet header\), and the board has half a firmware: check the cable/,
    ],
    ['something else', 'hm\nSome error of tomorrow.', false, /^esptool failed at \/dev\/p: Some error of tomorrow$/],
    ['nothing at all', '', false, /^esptool failed at \/dev\/p: it said nothing$/],
  ];
  for (const [what, words, begun, says] of cases)
    test(what, () => {
      const sentence = explainFailure(words, '/dev/p', 'the board b has an ESP32-C3', begun);
      assert.match(sentence, says);
      assert.doesNotMatch(sentence, /\n/);
    });
});

test('a partition table ends where its entries do', () => {
  const table = Buffer.concat([
    partition('nvs', 1, 2, 0x9000, 0x6000),
    partition('a name of 16 char', 0, 0x10, 0x10000, 0x100000),
    Buffer.from('ebeb', 'hex'),
    Buffer.alloc(30, 0xff),
  ]);
  const partitions = readPartitions(table);
  assert.deepEqual(partitions, [
    { name: 'nvs', type: 1, subtype: 2, offset: 0x9000, size: 0x6000 },
    { name: 'a name of 16 cha', type: 0, subtype: 0x10, offset: 0x10000, size: 0x100000 },
  ]);
  assert.deepEqual(partitions.map(keepsSettings), [true, false]);
  assert.deepEqual(readPartitions(table.subarray(0, 31)), []);
});
