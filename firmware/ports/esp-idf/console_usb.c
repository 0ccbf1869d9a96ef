/* The line over the chip's own USB Serial/JTAG. Its driver has no queue of events: a task takes what comes and hands it on. */
#include "console_device.h"

#include "waits.h"

#include "driver/usb_serial_jtag.h"
#include "freertos/FreeRTOS.h"
#include "freertos/stream_buffer.h"
#include "freertos/task.h"

#define RECEIVED_BYTES 1024
#define SENT_BYTES 2048
#define TASK_STACK_BYTES 2048
#define TASK_PRIORITY 6

static StreamBufferHandle_t received;

static void take(void *unused) {
    (void)unused;
    static uint8_t bytes[64];
    for (;;) {
        int count = usb_serial_jtag_read_bytes(bytes, sizeof bytes, portMAX_DELAY);
        if (count <= 0) continue;
        /* Until there is room: the host waits with what it still has to send. */
        (void)xStreamBufferSend(received, bytes, (size_t)count, portMAX_DELAY);
        waits_tell();
    }
}

bool console_device_open(void) {
    usb_serial_jtag_driver_config_t config = {.rx_buffer_size = RECEIVED_BYTES, .tx_buffer_size = SENT_BYTES};
    received = xStreamBufferCreate(RECEIVED_BYTES, 1);
    return received && usb_serial_jtag_driver_install(&config) == ESP_OK &&
           xTaskCreate(take, "console", TASK_STACK_BYTES, NULL, TASK_PRIORITY, NULL) == pdPASS;
}

int console_device_poll(void) {
    return -1;
}

uint32_t console_device_read(uint8_t *to, uint32_t capacity) {
    return (uint32_t)xStreamBufferReceive(received, to, capacity, 0);
}

/* The driver takes a write whole or not at all. */
uint32_t console_device_write(const uint8_t *bytes, uint32_t count) {
    if (count > 64) count = 64;
    int written = usb_serial_jtag_write_bytes(bytes, count, 0);
    return written < 0 ? 0 : (uint32_t)written;
}
