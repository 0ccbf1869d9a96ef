#include "kept.h"

#include "nvs.h"
#include "nvs_flash.h"

static const char *const names[KEPT_COUNT] = {
    [KEPT_SETTINGS] = "settings", [KEPT_AUTHORITY] = "authority", [KEPT_CERTIFICATE] = "certificate",
    [KEPT_KEY] = "key",           [KEPT_SLOTS] = "slots",         [KEPT_LEFT] = "left",
};

static nvs_handle_t handle;
static bool is_open;

const char *kept_open(void) {
    if (nvs_flash_init_partition(KEPT_PARTITION) != ESP_OK) return "the partition \"" KEPT_PARTITION "\" cannot be opened; erase the flash and flash it again";
    is_open = nvs_open_from_partition(KEPT_PARTITION, "twobyte", NVS_READWRITE, &handle) == ESP_OK;
    return is_open ? NULL : "the partition \"" KEPT_PARTITION "\" cannot be written";
}

uint32_t kept_read(Kept what, void *to, uint32_t capacity) {
    size_t length = capacity;
    return is_open && nvs_get_blob(handle, names[what], to, &length) == ESP_OK ? (uint32_t)length : 0;
}

bool kept_write(Kept what, const void *bytes, uint32_t length) {
    if (!is_open) return false;
    esp_err_t error = length ? nvs_set_blob(handle, names[what], bytes, length) : nvs_erase_key(handle, names[what]);
    if (length == 0 && error == ESP_ERR_NVS_NOT_FOUND) return true;
    return error == ESP_OK && nvs_commit(handle) == ESP_OK;
}
