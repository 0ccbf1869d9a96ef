#include "network.h"

#include "waits.h"

#include "esp_event.h"
#include "esp_netif.h"
#include "esp_pm.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "esp_wifi.h"
#include "sdkconfig.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* What is to be said: set by the event's task, taken by the loop. */
enum { NOTHING, CONNECTED, NO_SUCH, WRONG_PASSWORD, LOST };

static atomic_bool up;
static atomic_bool stopped;
static atomic_int news;
static atomic_uint address; /* of IPv4, as it goes over the wire */
static int told = NOTHING;  /* last */
static atomic_uint failures; /* in a row */
static esp_timer_handle_t again;
static const char *network;

static void tell(int what) {
    atomic_store(&news, what);
    waits_tell();
}

/* An attempt that ends is told by an event; one that does not even begin is followed by the next all the same. */
static void try_later(void) {
    uint64_t wait = network_wait(atomic_load(&failures), esp_random());
    if (atomic_load(&failures) < UINT32_MAX) atomic_fetch_add(&failures, 1);
    esp_err_t error = esp_timer_start_once(again, wait * 1000);
    /* One that runs already does as well; without any the board would stay away for ever. */
    if (error != ESP_OK && error != ESP_ERR_INVALID_STATE) esp_restart();
}

static void connect_again(void *unused) {
    (void)unused;
    if (atomic_load(&stopped) || atomic_load(&up)) return;
    if (esp_wifi_connect() != ESP_OK) try_later();
}

static bool is_refused(uint8_t reason) {
    return reason == WIFI_REASON_AUTH_FAIL || reason == WIFI_REASON_4WAY_HANDSHAKE_TIMEOUT || reason == WIFI_REASON_HANDSHAKE_TIMEOUT ||
           reason == WIFI_REASON_MIC_FAILURE;
}

static bool is_absent(uint8_t reason) {
    return reason == WIFI_REASON_NO_AP_FOUND || reason == WIFI_REASON_NO_AP_FOUND_W_COMPATIBLE_SECURITY ||
           reason == WIFI_REASON_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD || reason == WIFI_REASON_NO_AP_FOUND_IN_RSSI_THRESHOLD;
}

static void on_lost(const wifi_event_sta_disconnected_t *event) {
    bool had = atomic_exchange(&up, false);
    if (atomic_load(&stopped)) return;
    if (is_refused(event->reason)) tell(WRONG_PASSWORD);
    else if (is_absent(event->reason)) tell(NO_SUCH);
    else if (had) tell(LOST);
    try_later();
}

static void on_event(void *unused, esp_event_base_t base, int32_t event, void *data) {
    (void)unused;
    if (base == WIFI_EVENT && event == WIFI_EVENT_STA_START) connect_again(NULL);
    else if (base == WIFI_EVENT && event == WIFI_EVENT_STA_DISCONNECTED) on_lost(data);
    else if (base == IP_EVENT && event == IP_EVENT_STA_GOT_IP) {
        const ip_event_got_ip_t *got = data;
        atomic_store(&failures, 0);
        atomic_store(&address, got->ip_info.ip.addr);
        atomic_store(&up, true);
        tell(CONNECTED);
    } else if (base == IP_EVENT && event == IP_EVENT_STA_LOST_IP) atomic_store(&up, false);
}

static void copy(uint8_t *to, size_t capacity, const char *text) {
    size_t length = strlen(text);
    memcpy(to, text, length < capacity ? length : capacity);
}

bool network_open(const char *ssid, const char *password) {
    if (!ssid) return true;
    network = ssid;
    const esp_timer_create_args_t timer = {.callback = connect_again, .name = "wifi"};
    wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    wifi_config_t config = {.sta = {.threshold.authmode = password ? WIFI_AUTH_WPA2_PSK : WIFI_AUTH_OPEN, .sae_pwe_h2e = WPA3_SAE_PWE_BOTH}};
    copy(config.sta.ssid, sizeof config.sta.ssid, ssid);
    if (password) copy(config.sta.password, sizeof config.sta.password, password);
    init.nvs_enable = 0; /* the settings are ours to keep, once */
    return esp_netif_init() == ESP_OK && esp_event_loop_create_default() == ESP_OK && esp_netif_create_default_wifi_sta() &&
           esp_timer_create(&timer, &again) == ESP_OK && esp_wifi_init(&init) == ESP_OK &&
           esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event, NULL) == ESP_OK &&
           esp_event_handler_register(IP_EVENT, ESP_EVENT_ANY_ID, on_event, NULL) == ESP_OK && esp_wifi_set_mode(WIFI_MODE_STA) == ESP_OK &&
           esp_wifi_set_config(WIFI_IF_STA, &config) == ESP_OK && esp_wifi_start() == ESP_OK;
}

bool network_is_needed(void) {
    return true;
}

bool network_is_up(void) {
    return atomic_load(&up);
}

uint32_t network_words(char *to, uint32_t capacity) {
    int what = atomic_exchange(&news, NOTHING);
    if (what == NOTHING || what == told) return 0;
    told = what;
    const esp_ip4_addr_t own = {.addr = atomic_load(&address)};
    int length = 0;
    switch (what) {
    case CONNECTED:
        length = snprintf(to, capacity, "Wi-Fi: connected to \"%.32s\", this board is " IPSTR, network, IP2STR(&own));
        break;
    case NO_SUCH:
        length = snprintf(to, capacity, "Wi-Fi: no network \"%.32s\" is heard that takes this password's kind; check wifi_ssid (2.4 GHz only) and the distance", network);
        break;
    case WRONG_PASSWORD:
        length = snprintf(to, capacity, "Wi-Fi: \"%.32s\" refuses the password; check wifi_password", network);
        break;
    case LOST:
        length = snprintf(to, capacity, "Wi-Fi: \"%.32s\" is lost; the board tries again", network);
        break;
    }
    return length <= 0 ? 0 : (uint32_t)length < capacity ? (uint32_t)length : capacity - 1;
}

void network_saves_power(bool yes) {
    (void)esp_wifi_set_ps(yes ? WIFI_PS_MAX_MODEM : WIFI_PS_MIN_MODEM);
#if CONFIG_PM_ENABLE
    esp_pm_config_t config = {.max_freq_mhz = CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ, .min_freq_mhz = CONFIG_XTAL_FREQ, .light_sleep_enable = yes};
    (void)esp_pm_configure(&config);
#endif
}

void network_close(void) {
    if (!network) return;
    atomic_store(&stopped, true);
    (void)esp_wifi_stop();
}
