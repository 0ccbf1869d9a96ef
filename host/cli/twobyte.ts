#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { bridgeCommand } from './bridge.js';
import { buildCommand } from './build.js';
import { configCommand } from './config.js';
import { createCommand } from './create.js';
import { deployCommand } from './deploy.js';
import { flashCommand } from './flash.js';
import { gatewayCommand } from './gateway.js';
import { hilCommand } from './hil.js';
import { keygenCommand } from './keygen.js';
import { monitorCommand } from './monitor.js';
import { provisionCommand } from './provision.js';
import { pubCommand } from './pub.js';
import { runCommand } from './run.js';
import { subCommand } from './sub.js';
import { discreet } from './usage.js';

// This file runs as build/js/host/cli/twobyte.js.
const { version } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')) as { version: string };

process.stderr.on('error', () => {}); // whoever read our complaints has left

await discreet(new Command('twobyte'))
  .description('MQTT for microcontrollers, and its tools')
  .version(version, '--version', 'print the version')
  .helpOption('--help', 'print this')
  .enablePositionalOptions() // deploy has a --version of its own
  .addCommand(pubCommand())
  .addCommand(subCommand())
  .addCommand(gatewayCommand())
  .addCommand(bridgeCommand())
  .addCommand(flashCommand())
  .addCommand(createCommand())
  .addCommand(buildCommand())
  .addCommand(runCommand())
  .addCommand(configCommand())
  .addCommand(monitorCommand())
  .addCommand(provisionCommand())
  .addCommand(hilCommand())
  .addCommand(keygenCommand())
  .addCommand(deployCommand())
  .parseAsync();
