import { startMosquitto } from '../test/mosquitto.js';

/** A mosquitto that holds nothing back and drops nothing, and logs what matters. */
export function unlimitedMosquitto(): ReturnType<typeof startMosquitto> {
  return startMosquitto(['max_inflight_messages 0', 'max_queued_messages 0', 'log_type none', 'log_type information', 'log_type error']);
}
