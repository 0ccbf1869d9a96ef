// The client module of MQTT-SN with a journal: all of client-mqttsn.ts, and last words.

export * from './client-mqttsn';
export { flush } from './flush';
