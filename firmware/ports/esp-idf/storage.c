#include "storage.h"

#include "contract.h"

#include "nvs.h"
#include "nvs_flash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static nvs_handle_t handle;
static bool is_open;
/* A record that is longer than who asks has room for. */
static uint8_t whole[STORAGE_RECORD_BYTES];

const char *storage_open(void) {
    esp_err_t error = nvs_flash_init_partition(STORAGE_PARTITION);
    if (error == ESP_ERR_NVS_NEW_VERSION_FOUND) return "its partition was written by a newer ESP-IDF; flash that release again, or erase the partition";
    if (error == ESP_ERR_NVS_NO_FREE_PAGES) return "its partition holds no journal of this board; erase the flash and flash it again";
    if (error != ESP_OK) return "its partition cannot be opened; flash the partition table of this release";
    is_open = nvs_open_from_partition(STORAGE_PARTITION, "journal", NVS_READWRITE, &handle) == ESP_OK;
    return is_open ? NULL : "its partition cannot be written";
}

static void name_key(char to[NVS_KEY_NAME_MAX_SIZE], int32_t key) {
    (void)snprintf(to, NVS_KEY_NAME_MAX_SIZE, "%08" PRIx32, (uint32_t)key);
}

static int32_t answer(esp_err_t error) {
    if (error == ESP_OK) return 0;
    return error == ESP_ERR_NVS_NOT_ENOUGH_SPACE ? -STORE_FULL : -STORE_FAILED;
}

int32_t storage_write(int32_t key, const uint8_t *data, int32_t length) {
    char name[NVS_KEY_NAME_MAX_SIZE];
    if (!is_open) return -STORE_FAILED;
    if (length < 0 || length > STORAGE_RECORD_BYTES) return -STORE_FULL;
    name_key(name, key);
    esp_err_t error = length ? nvs_set_blob(handle, name, data, (size_t)length) : nvs_erase_key(handle, name);
    if (length == 0 && error == ESP_ERR_NVS_NOT_FOUND) return 0;
    return answer(error == ESP_OK ? nvs_commit(handle) : error);
}

int32_t storage_read(int32_t key, uint8_t *to, int32_t capacity) {
    char name[NVS_KEY_NAME_MAX_SIZE];
    size_t length = sizeof whole;
    if (!is_open) return -1;
    name_key(name, key);
    if (nvs_get_blob(handle, name, whole, &length) != ESP_OK) return -1;
    size_t room = capacity < 0 ? 0 : (size_t)capacity;
    memcpy(to, whole, length < room ? length : room);
    return (int32_t)length;
}
