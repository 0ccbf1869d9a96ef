/**
 * Whether the module is the client's. A sensor has no code for what it never does: be its own forwarder, change its will, unsubscribe, or get
 * messages at QoS 2, since it subscribes at QoS 1.
 */
export const IS_CLIENT: bool = isDefined(CLIENT);

/** Whether the module has drivers: it measures what reading_1 to reading_8 say, beside what the board's thermometer does. */
export const HAS_DRIVERS: bool = isDefined(DRIVERS);
