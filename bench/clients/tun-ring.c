// What io_uring saves where many packets are written to a TUN device: `ip netns exec NAME tun-ring` makes a device, and writes so many packets of 700
// octets at once to nobody, by a system call each and by the addon's ring, by turns; it prints the microseconds of one packet.
// Built with: cc -O2 -D_GNU_SOURCE -I native -o tun-ring bench/clients/tun-ring.c native/ring.c
#include "outgoing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LENGTH = 700, TURNS = 200, WRITES = 4096 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int open_device(void) {
  struct ifreq request = {.ifr_name = "ring%d", .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
  int descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (descriptor < 0 || ioctl(descriptor, TUNSETIFF, &request) < 0) return -1;
  int asked = socket(AF_INET, SOCK_DGRAM, 0);
  request.ifr_flags = IFF_UP;
  if (ioctl(asked, SIOCSIFFLAGS, &request) < 0) return -1;
  close(asked);
  return descriptor;
}

// From 192.0.2.1 to 192.0.2.2, which is not here: the kernel takes it in and lets it fall.
static void write_packet(uint8_t *packet) {
  static const uint8_t header[] = {0x45, 0, LENGTH >> 8, LENGTH & 255, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};
  uint32_t sum = 0;
  memset(packet, 0, OFFLOAD_HEADER + LENGTH);
  packet += OFFLOAD_HEADER;
  memcpy(packet, header, sizeof header);
  for (size_t at = 0; at < sizeof header; at += 2) sum += (uint32_t)(header[at] << 8 | header[at + 1]);
  sum = ~((sum & 0xffff) + (sum >> 16));
  packet[10] = (uint8_t)(sum >> 8);
  packet[11] = (uint8_t)sum;
}

int main(void) {
  static uint8_t packets[MOST_PIECES][OFFLOAD_HEADER + LENGTH];
  static struct piece pieces[MOST_PIECES];
  static const int counts[] = {1, 2, 4, 6, 8, 16, 64};
  int descriptor = open_device();
  struct ring *ring = descriptor < 0 ? NULL : open_ring(descriptor);
  if (ring == NULL) {
    perror(descriptor < 0 ? "the device" : "io_uring");
    return 1;
  }
  for (int at = 0; at < MOST_PIECES; at++) {
    write_packet(packets[at]);
    pieces[at] = (struct piece){.parts = {{packets[at], sizeof packets[at]}}, .count = 1};
  }
  printf("at once  write  io_uring\n");
  for (size_t which = 0; which < sizeof counts / sizeof *counts; which++) {
    int count = counts[which], times = WRITES / count;
    double took[2] = {0, 0};
    for (int turn = 0; turn < TURNS; turn++) {
      double began = now();
      for (int time = 0; time < times; time++)
        for (int at = 0; at < count; at++)
          if (write(descriptor, packets[at], sizeof packets[at]) < 0) return 2;
      double between = now();
      for (int time = 0; time < times; time++)
        if (write_by_ring(ring, pieces, count) != count || pieces[0].error < 0) return 3;
      took[0] += between - began;
      took[1] += now() - between;
    }
    printf("%7d  %5.2f  %8.2f\n", count, took[0] / TURNS / times / count, took[1] / TURNS / times / count);
  }
  return 0;
}
