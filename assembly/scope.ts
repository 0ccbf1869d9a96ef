/**
 * Whether the module is the client's. A sensor has no code for what it never does: be its own forwarder, change its will, unsubscribe, or get
 * messages at QoS 2, since it subscribes at QoS 1.
 */
export const IS_CLIENT: bool = isDefined(CLIENT);
