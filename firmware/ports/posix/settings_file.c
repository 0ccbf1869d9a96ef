#include "settings_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool settings_load(Settings *settings, const char *path) {
    static char text[SETTINGS_FILE_BYTES + 1];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return settings_refuse(settings, path, 0, "", "cannot be read: %s", strerror(errno));
    size_t length = 0;
    ssize_t count;
    do {
        count = read(file, text + length, sizeof text - length);
        if (count > 0) length += (size_t)count;
    } while (length < sizeof text && (count > 0 || (count < 0 && errno == EINTR)));
    int fault = count < 0 ? errno : 0;
    struct stat status;
    if (fstat(file, &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH))) settings->exposed = true;
    (void)close(file);
    if (fault) return settings_refuse(settings, path, 0, "", "cannot be read: %s", strerror(fault));
    if (length == sizeof text) return settings_refuse(settings, path, 0, "", "has over %d bytes", SETTINGS_FILE_BYTES);
    return settings_read(settings, path, text, (uint32_t)length);
}

bool settings_complete(Settings *settings) {
    static const struct {
        int key;
        const char *name;
        const char *example;
    } needed[] = {
        {SETTING_BROKER, "broker", "mqtt://127.0.0.1:1883 or mqtt-sn://127.0.0.1:1884"},
        {SETTING_THERMOMETER, "thermometer", "thermal, hwmon, replay:FILE or simulated:SEED"},
        {SETTING_MODULE, "module", "build/sensor-mqtt.wasm"},
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        const char *name = needed[i].name;
        if (settings->values[needed[i].key].text) continue;
        return settings_refuse(settings, name, 0, "", "is not set; give --%s (%s) or the key %s in a --config file", name, needed[i].example, name);
    }
    bool by_line = settings->carrier == CARRIER_LINE_STREAM || settings->carrier == CARRIER_LINE_DATAGRAMS;
    if (!by_line || settings->values[SETTING_CONSOLE].text) return true;
    return settings_refuse(settings, "broker", 0, "", "an address of the line needs a console; give --console DEVICE, or an address as mqtt://host");
}
