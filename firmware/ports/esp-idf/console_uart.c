/* The line over the UART that ESP-IDF's console has: what the boot loader and a panic print comes by the same wire. */
#include "console_device.h"

#include "waits.h"

#include "driver/uart.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#define PORT ((uart_port_t)CONFIG_ESP_CONSOLE_UART_NUM)
#define RECEIVED_BYTES 1024
#define SENT_BYTES 2048
#define EVENTS 8
#define TASK_STACK_BYTES 2048
#define TASK_PRIORITY 6

static QueueHandle_t events;

/* The driver's interrupt fills its buffer; this task only tells the loop that it did. */
static void tell(void *unused) {
    (void)unused;
    uart_event_t event;
    for (;;) {
        if (xQueueReceive(events, &event, portMAX_DELAY) == pdTRUE) waits_tell();
    }
}

bool console_device_open(void) {
    return uart_driver_install(PORT, RECEIVED_BYTES, SENT_BYTES, EVENTS, &events, 0) == ESP_OK &&
           xTaskCreate(tell, "console", TASK_STACK_BYTES, NULL, TASK_PRIORITY, NULL) == pdPASS;
}

int console_device_poll(void) {
    return -1;
}

uint32_t console_device_read(uint8_t *to, uint32_t capacity) {
    int count = uart_read_bytes(PORT, to, capacity, 0);
    return count < 0 ? 0 : (uint32_t)count;
}

uint32_t console_device_write(const uint8_t *bytes, uint32_t count) {
    size_t room = 0;
    if (uart_get_tx_buffer_free_size(PORT, &room) != ESP_OK) return 0;
    if (count > room) count = (uint32_t)room;
    int written = count ? uart_write_bytes(PORT, bytes, count) : 0;
    return written < 0 ? 0 : (uint32_t)written;
}
