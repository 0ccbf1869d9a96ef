/* The posix board's own thermometers, which it has beside shell/thermometer.h's:
 *
 *   thermal[:N]     /sys/class/thermal/thermal_zoneN/temp, N 0 when it is left out
 *   hwmon[:N]       the Nth of /sys/class/hwmon/hwmonX/tempY_input, counted from 0 in the order of X, then Y
 *
 * A failed reading is READING_FAILED - n, n an errno. */
#ifndef TWOBYTE_SENSORS_H
#define TWOBYTE_SENSORS_H

#include <stddef.h>
#include <stdint.h>

/* thermometer_sysfs(text, length): what the kernel's files hold, thousandths and a newline; or READING_FAILED - THERMOMETER_MALFORMED. */
int32_t thermometer_sysfs(const char *text, size_t length);

#endif
