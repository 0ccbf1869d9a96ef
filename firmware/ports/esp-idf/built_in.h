/* Made from boards/cable.conf by scripts/boards.js; do not edit.
 *
 * The settings of a board that was not provisioned. */
#ifndef TWOBYTE_BUILT_IN_H
#define TWOBYTE_BUILT_IN_H

#define TWOBYTE_BUILT_IN \
    "broker = mqtt+line://bridge\n" \
    "reconnect_max = 5000\n" \
    "thermometer = chip\n" \
    "client_id = first-board\n" \
    "topic = myhome/底楼/客厅/温度\n" \
    "qos = 1\n" \
    "interval = 2000\n"

#endif
