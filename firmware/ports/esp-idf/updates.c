#include "updates.h"

#include "kept.h"
#include "modules.h"
#include "shell.h"
#include "update.h"
#include "update_line.h"
#include "update_none.h"
#include "update_psa.h"
#include "watchdog.h"

#include "esp_partition.h"

#include <stdio.h>
#include <string.h>

static Update update;
static bool is_open;
static bool asked; /* without a place for new modules */
static UpdateLeft left;
static UpdateLeft left_kept; /* as it is in the flash */
static UpdatePort port;
static uint8_t key[UPDATE_KEY_BYTES];

static bool erase(void *context, int slot, uint32_t offset, uint32_t length) {
    const esp_partition_t *partition = context;
    uint32_t at = (uint32_t)slot * port.capacity + offset;
    /* A sector takes up to 0.4 s: the watchdog hears of each. */
    for (uint32_t done = 0; done < length; done += port.sector) {
        watchdog_feed();
        if (esp_partition_erase_range(partition, at + done, port.sector) != ESP_OK) return false;
    }
    return true;
}

static bool write(void *context, int slot, uint32_t offset, const uint8_t *bytes, uint32_t length) {
    return esp_partition_write(context, (uint32_t)slot * port.capacity + offset, bytes, length) == ESP_OK;
}

static void keep(void *context) {
    (void)context;
    modules_keep();
    if (memcmp(&left, &left_kept, sizeof left) == 0) return;
    left_kept = left;
    (void)kept_write(KEPT_LEFT, &left, sizeof left);
}

bool updates_open(const Settings *settings, Line *line, char *error, uint32_t capacity) {
    const Setting *given = &settings->values[SETTING_PUBLIC_KEY];
    const ModulesFlash *flash = modules_flash();
    if (!flash->partition) return true; /* a module that is compiled in is not replaced */
    if (given->text && !update_key(key, given->text, given->length)) {
        (void)snprintf(error, capacity, "public_key: write the 128 hexadecimal digits that twobyte keygen prints");
        return false;
    }
    if (kept_read(KEPT_LEFT, &left, sizeof left) != sizeof left) memset(&left, 0, sizeof left);
    left_kept = left;
    port = (UpdatePort){
        .capacity = flash->capacity,
        .sector = flash->partition->erase_size,
        .erase = erase,
        .write = write,
        .hash = update_psa_hash,
        .verify = update_psa_verify,
        .keep = keep,
        .context = (void *)(uintptr_t)flash->partition,
    };
    for (int i = 0; i < SLOTS; i++) port.at[i] = flash->mapped + (uint32_t)i * flash->capacity;
    port.imports = shell_imports(&port.import_count);
    const Setting *trial = &settings->values[SETTING_UPDATE_TRIAL];
    if (trial->text && trial->number > 0) modules_slots()->trial_ms = (uint32_t)trial->number;
    update_open(&update, &port, modules_slots(), given->text ? key : NULL, &left);
    line_takes(line, LINE_MODULE, &update_uploads, &update);
    is_open = true;
    return true;
}

void updates_begins(int slot) {
    if (is_open) update_begins(&update, slot);
}

void updates_connected(void) {
    if (is_open) update_connected(&update);
}

void updates_leave(int slot, const char *why) {
    if (is_open) update_leave(&update, slot, why);
}

bool updates_complete(void) {
    return is_open && update_complete(&update);
}

int32_t updates_take(const uint8_t *message, int32_t length) {
    return is_open ? update_take(&update, message, length) : update_none_take(&asked, length);
}

int32_t updates_answer(uint8_t *to, int32_t capacity) {
    if (is_open) return update_answer(&update, to, capacity);
    return update_none_answer(&asked, "this board takes no new modules: its module is compiled in, or its flash has no partition for them", to, capacity);
}
