// A path that only takes time: delay-line LEFT RIGHT DEVICE MICROSECONDS JITTER SEED makes a TUN device in each of two network namespaces, and
// hands each packet from one to the other so long after it came, both ways, and by chance up to JITTER microseconds later; the order is kept.
// Says "ready", and ends with its standard input. Built with: cc -O2 -o delay-line delay-line.c
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

/** More than a bandwidth-delay product of what this is for; what does not fit is dropped. */
#define PLACES 4096
#define LONGEST 1600

struct packet {
  int64_t due;
  int length;
  uint8_t octets[LONGEST];
};

/** One direction: a ring of packets in the order in which they came. */
struct line {
  struct packet packets[PLACES];
  unsigned first, next;
  int64_t latest;
  int to;
};

static int64_t delay, jitter;
static uint64_t chance;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int or_die(int result, const char *what) {
  if (result >= 0) return result;
  perror(what);
  exit(1);
}

static int open_device(const char *namespace, const char *name) {
  char path[256];
  snprintf(path, sizeof path, "/var/run/netns/%s", namespace);
  int entered = or_die(open(path, O_RDONLY | O_CLOEXEC), path);
  or_die(setns(entered, CLONE_NEWNET), "setns");
  close(entered);
  int device = or_die(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
  or_die(ioctl(device, TUNSETIFF, &request), "TUNSETIFF");
  return device;
}

/** xorshift64*: from 0 up to `limit`. */
static int64_t draw(int64_t limit) {
  chance ^= chance >> 12;
  chance ^= chance << 25;
  chance ^= chance >> 27;
  return limit == 0 ? 0 : (int64_t)((chance * 0x2545f4914f6cdd1dULL >> 11) % (uint64_t)limit);
}

static void take(struct line *line, int from) {
  static uint8_t spare[LONGEST];
  for (;;) {
    int is_full = line->next - line->first == PLACES;
    struct packet *packet = &line->packets[line->next % PLACES];
    ssize_t length = read(from, is_full ? spare : packet->octets, LONGEST);
    if (length <= 0) return;
    if (is_full) continue;
    packet->length = length;
    int64_t due = now() + delay + draw(jitter);
    if (due < line->latest) due = line->latest;
    packet->due = line->latest = due;
    line->next++;
  }
}

/** Hands on what is due; returns when the next is, or -1. */
static int64_t give(struct line *line) {
  while (line->first != line->next) {
    struct packet *packet = &line->packets[line->first % PLACES];
    if (packet->due > now()) return packet->due;
    // What the device does not take is lost, as on any path.
    if (write(line->to, packet->octets, packet->length) < 0) {
    }
    line->first++;
  }
  return -1;
}

int main(int count, char **arguments) {
  if (count != 7) return 2;
  static struct line lines[2];
  int devices[2] = {open_device(arguments[1], arguments[3]), open_device(arguments[2], arguments[3])};
  delay = atoll(arguments[4]) * 1000;
  jitter = atoll(arguments[5]) * 1000;
  chance = 0x9e3779b97f4a7c15ULL * (uint64_t)(atoll(arguments[6]) + 1);
  for (int way = 0; way < 2; way++) lines[way].to = devices[1 - way];
  // A path does not wait for a processor; and timers are late by 50 microseconds unless one asks.
  or_die(sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}), "sched_setscheduler");
  prctl(PR_SET_TIMERSLACK, 1);
  puts("ready");
  fflush(stdout);
  struct pollfd sources[3] = {{devices[0], POLLIN, 0}, {devices[1], POLLIN, 0}, {0, POLLIN, 0}};
  for (;;) {
    int64_t due = -1;
    for (int way = 0; way < 2; way++) {
      take(&lines[way], devices[way]);
      int64_t next = give(&lines[way]);
      if (next >= 0 && (due < 0 || next < due)) due = next;
    }
    int64_t wait = due < 0 ? 0 : due - now();
    if (wait < 0) wait = 0;
    struct timespec until = {wait / 1000000000, wait % 1000000000};
    or_die(ppoll(sources, 3, due < 0 ? NULL : &until, NULL), "ppoll");
    if (sources[2].revents != 0) return 0;
  }
}
