// Sends UDP datagrams at a steady rate, as the kernel's own sockets do: udp-send ADDRESS PORT PER-SECOND SECONDS OCTETS.
// Prints how many were sent, and in how many seconds. Built with: cc -O2 -o udp-send udp-send.c
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define LONGEST 65507

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static int open_socket(const char *address, const char *port) {
  struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *found;
  int fault = getaddrinfo(address, port, &hints, &found);
  if (fault != 0) {
    fprintf(stderr, "%s: %s\n", address, gai_strerror(fault));
    exit(2);
  }
  int descriptor = socket(found->ai_family, SOCK_DGRAM, 0);
  int buffer = 8 << 20;
  setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  if (descriptor < 0 || connect(descriptor, found->ai_addr, found->ai_addrlen) != 0) {
    perror(address);
    exit(1);
  }
  freeaddrinfo(found);
  return descriptor;
}

int main(int count, char **words) {
  if (count != 6) {
    fprintf(stderr, "udp-send ADDRESS PORT PER-SECOND SECONDS OCTETS\n");
    return 2;
  }
  int descriptor = open_socket(words[1], words[2]);
  double rate = atof(words[3]), seconds = atof(words[4]);
  int octets = atoi(words[5]);
  if (octets < 0 || octets > LONGEST) return 2;
  static char data[LONGEST];
  struct iovec part = {data, octets};
  struct mmsghdr messages[BATCH];
  memset(messages, 0, sizeof messages);
  for (int at = 0; at < BATCH; at++) {
    messages[at].msg_hdr.msg_iov = &part;
    messages[at].msg_hdr.msg_iovlen = 1;
  }
  long total = rate * seconds, sent = 0;
  double start = now();
  while (sent < total) {
    long due = (now() - start) * rate - sent;
    if (due <= 0) {
      usleep(200);
      continue;
    }
    if (due > total - sent) due = total - sent;
    int taken = sendmmsg(descriptor, messages, due > BATCH ? BATCH : due, 0);
    if (taken > 0) sent += taken;
    else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
      perror("sendmmsg");
      return 1;
    }
  }
  printf("{\"sent\":%ld,\"seconds\":%.3f}\n", sent, now() - start);
  return 0;
}
