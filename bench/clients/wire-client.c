// The kernel's end of `npm run bench:wire`, in one thread; each mode prints a line of JSON:
//   wire-client flows ADDRESS PORTS SECONDS TO-IT FROM-IT ECHOES   bulk each way, and octets that go to and fro one at a time
//   wire-client flows-no-delay …                                   the same, and bulk has TCP_NODELAY too, not the octets alone
//   wire-client short ADDRESS PORTS SECONDS AT-ONCE                connect, one octet there and back, close; again
//   wire-client idle ADDRESS PORT COUNT                            opens so many, says "ready", and holds them until its input ends
//   wire-client udp-in|udp-out ADDRESS PORTS SECONDS OCTETS        datagrams to it, or from it
// PORTS is added to 7 (echo), 9 (discard) and 19 (source). What was sent counts once the peer has acknowledged it. Flows count after a
// start of half a second. Built with: cc -O2 -o wire-client wire-client.c
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ECHO = 7, DISCARD = 9, SOURCE = 19, CHUNK = 256 << 10, MOST_EVENTS = 256, MOST_FLOWS = 4096, MOST_TIMES = 1 << 22, BATCH = 64 };

#define START 0.5

struct flow {
  int descriptor, port;
  uint64_t octets, before;
  double sent_at;
};

static struct sockaddr_in target;
static struct flow flows[MOST_FLOWS];
static int flow_count, poller;
static uint8_t chunk[CHUNK];
static float *times;
static size_t time_count;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static struct sockaddr_in at_port(int port) {
  struct sockaddr_in address = target;
  address.sin_port = htons((uint16_t)port);
  return address;
}

static int open_flow(int port, int flags, int is_no_delay) {
  int descriptor = socket(AF_INET, SOCK_STREAM | flags, 0), yes = 1;
  if (descriptor < 0) fail("socket");
  if (is_no_delay) setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  struct sockaddr_in address = at_port(port);
  if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) fail("connect");
  return descriptor;
}

static void watch(int descriptor, uint32_t events, uint32_t number) {
  struct epoll_event event = {.events = events, .data.u32 = number};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll_ctl");
}

static uint64_t acknowledged(int descriptor) {
  struct tcp_info info;
  socklen_t length = sizeof info;
  memset(&info, 0, sizeof info);
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) fail("TCP_INFO");
  return info.tcpi_bytes_acked;
}

static void keep_time(double seconds) {
  if (time_count < MOST_TIMES) times[time_count++] = (float)(seconds * 1e6);
}

static int by_size(const void *one, const void *other) {
  float a = *(const float *)one, b = *(const float *)other;
  return (a > b) - (a < b);
}

static double percentile(double part) {
  return time_count == 0 ? 0 : times[(size_t)((double)(time_count - 1) * part)];
}

static double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void send_octet(struct flow *flow) {
  flow->sent_at = now();
  if (send(flow->descriptor, chunk, 1, 0) != 1) fail("send");
}

/** An octet that has come back counts in `octets`, as what came from a source does. */
static void read_flow(struct flow *flow) {
  ssize_t octets = recv(flow->descriptor, chunk, flow->port == ECHO ? 1 : CHUNK, MSG_DONTWAIT);
  if (octets < 0 && errno == EAGAIN) return;
  if (octets <= 0) fail("recv");
  flow->octets += (uint64_t)octets;
  if (flow->port != ECHO) return;
  keep_time(now() - flow->sent_at);
  send_octet(flow);
}

static void write_flow(struct flow *flow) {
  if (send(flow->descriptor, chunk, CHUNK, MSG_DONTWAIT) < 0 && errno != EAGAIN) fail("send");
}

/** Echoes first, so that they wait for our own bulk no longer than one call takes. */
static void serve(struct epoll_event *events, int count) {
  for (int at = 0; at < count; at++) {
    struct flow *flow = &flows[events[at].data.u32];
    if (flow->port == ECHO) read_flow(flow);
  }
  for (int at = 0; at < count; at++) {
    struct flow *flow = &flows[events[at].data.u32];
    if (flow->port == SOURCE) read_flow(flow);
    else if (flow->port == DISCARD) write_flow(flow);
  }
}

static void settle(void) {
  for (int at = 0; at < flow_count; at++) {
    struct flow *flow = &flows[at];
    flow->before = flow->port == DISCARD ? acknowledged(flow->descriptor) : flow->octets;
  }
  time_count = 0;
}

static void add_flows(int count, int port, int ports, int is_no_delay) {
  for (int at = 0; at < count && flow_count < MOST_FLOWS; at++) {
    struct flow *flow = &flows[flow_count];
    flow->port = port;
    flow->descriptor = open_flow(port + ports, 0, is_no_delay);
    watch(flow->descriptor, port == DISCARD ? EPOLLOUT : EPOLLIN, (uint32_t)flow_count++);
  }
}

static int run_flows(int ports, double seconds, int in, int out, int echoes, int is_no_delay) {
  add_flows(echoes, ECHO, ports, 1);
  add_flows(in, DISCARD, ports, is_no_delay);
  add_flows(out, SOURCE, ports, is_no_delay);
  for (int at = 0; at < echoes; at++) send_octet(&flows[at]);
  struct epoll_event events[MOST_EVENTS];
  double counted_from = now() + START, processor = 0, moment;
  int is_counting = 0;
  while ((moment = now()) < counted_from + seconds) {
    if (!is_counting && moment >= counted_from) {
      is_counting = 1;
      settle();
      processor = processor_seconds();
      counted_from = moment;
    }
    int count = epoll_wait(poller, events, MOST_EVENTS, 100);
    if (count > 0) serve(events, count);
  }
  double took = now() - counted_from;
  uint64_t to_it = 0, from_it = 0;
  for (int at = 0; at < flow_count; at++) {
    struct flow *flow = &flows[at];
    if (flow->port == DISCARD) to_it += acknowledged(flow->descriptor) - flow->before;
    else if (flow->port == SOURCE) from_it += flow->octets - flow->before;
  }
  qsort(times, time_count, sizeof *times, by_size);
  printf("{\"seconds\":%.6f,\"in\":%llu,\"out\":%llu,\"echoes\":%zu,\"p50\":%.1f,\"p99\":%.1f,\"worst\":%.1f,\"processor\":%.3f}\n", took,
         (unsigned long long)to_it, (unsigned long long)from_it, time_count, percentile(0.5), percentile(0.99), percentile(1),
         processor_seconds() - processor);
  return 0;
}

static void begin_short(struct flow *flow, uint32_t number, int ports) {
  flow->descriptor = open_flow(ECHO + ports, SOCK_NONBLOCK, 1);
  flow->octets = 0;
  watch(flow->descriptor, EPOLLOUT, number);
}

static int run_short(int ports, double seconds, int at_once) {
  struct epoll_event events[MOST_EVENTS];
  double began = now(), moment;
  uint64_t done = 0, failed = 0;
  for (int at = 0; at < at_once; at++) begin_short(&flows[at], (uint32_t)at, ports);
  while ((moment = now()) < began + seconds) {
    int count = epoll_wait(poller, events, MOST_EVENTS, 100);
    for (int at = 0; at < count; at++) {
      struct flow *flow = &flows[events[at].data.u32];
      if (flow->octets == 0 && !(events[at].events & (EPOLLERR | EPOLLHUP))) {
        flow->octets = 1;
        if (send(flow->descriptor, chunk, 1, 0) != 1) failed++;
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = events[at].data.u32};
        epoll_ctl(poller, EPOLL_CTL_MOD, flow->descriptor, &event);
        continue;
      }
      if (recv(flow->descriptor, chunk, 1, MSG_DONTWAIT) == 1) done++;
      else failed++;
      close(flow->descriptor);
      begin_short(flow, events[at].data.u32, ports);
    }
  }
  printf("{\"seconds\":%.6f,\"done\":%llu,\"failed\":%llu,\"processor\":%.3f}\n", moment - began, (unsigned long long)done,
         (unsigned long long)failed, processor_seconds());
  return 0;
}

static int hold_idle(int port, int count) {
  struct rlimit limit = {(rlim_t)count + 64, (rlim_t)count + 64};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit");
  for (int at = 0; at < count; at++) open_flow(port, 0, 0);
  printf("{\"ready\":%d}\n", count);
  fflush(stdout);
  while (read(STDIN_FILENO, chunk, CHUNK) > 0);
  return 0;
}

static int run_datagrams(int is_out, int ports, double seconds, int octets) {
  int descriptor = socket(AF_INET, SOCK_DGRAM, 0), size = 8 << 20;
  struct sockaddr_in address = at_port((is_out ? SOURCE : DISCARD) + ports);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  static struct mmsghdr messages[BATCH];
  static struct iovec parts[BATCH];
  for (int at = 0; at < BATCH; at++) {
    parts[at] = (struct iovec){chunk + at * 2048, is_out ? 2048 : (size_t)octets};
    messages[at].msg_hdr = (struct msghdr){.msg_iov = &parts[at], .msg_iovlen = 1};
  }
  char order[32];
  int length = snprintf(order, sizeof order, "%.3f %d", seconds, octets);
  if (is_out && send(descriptor, order, (size_t)length, 0) < 0) fail("send");
  double began = now(), moment, last = began;
  uint64_t count = 0;
  while ((moment = now()) < began + seconds) {
    struct timespec patience = {0, 50000000};
    struct pollfd readiness = {descriptor, is_out ? POLLIN : POLLOUT, 0};
    if (ppoll(&readiness, 1, &patience, NULL) < 1) continue;
    int taken = is_out ? recvmmsg(descriptor, messages, BATCH, MSG_DONTWAIT, NULL) : sendmmsg(descriptor, messages, BATCH, 0);
    if (taken < 0 && errno != EAGAIN && errno != ECONNREFUSED) fail("datagrams");
    if (taken > 0) count += (uint64_t)taken, last = now();
  }
  printf("{\"seconds\":%.6f,\"count\":%llu,\"processor\":%.3f}\n", last - began, (unsigned long long)count, processor_seconds());
  return 0;
}

int main(int count, char **words) {
  target.sin_family = AF_INET;
  if (count < 5 || inet_pton(AF_INET, words[2], &target.sin_addr) != 1) {
    fprintf(stderr, "wire-client flows|flows-no-delay|short|idle|udp-in|udp-out ADDRESS PORTS …\n");
    return 2;
  }
  poller = epoll_create1(0);
  times = malloc(MOST_TIMES * sizeof *times);
  if (times == NULL) fail("malloc");
  int ports = atoi(words[3]);
  double seconds = atof(words[4]);
  int is_no_delay = strcmp(words[1], "flows-no-delay") == 0;
  if ((is_no_delay || strcmp(words[1], "flows") == 0) && count == 8)
    return run_flows(ports, seconds, atoi(words[5]), atoi(words[6]), atoi(words[7]), is_no_delay);
  if (strcmp(words[1], "short") == 0 && count == 6 && atoi(words[5]) <= MOST_FLOWS)
    return run_short(ports, seconds, atoi(words[5]));
  if (strcmp(words[1], "idle") == 0) return hold_idle(ports, atoi(words[4]));
  if (strcmp(words[1], "udp-in") == 0 && count == 6) return run_datagrams(0, ports, seconds, atoi(words[5]));
  if (strcmp(words[1], "udp-out") == 0 && count == 6) return run_datagrams(1, ports, seconds, atoi(words[5]));
  fprintf(stderr, "wrong arguments for %s\n", words[1]);
  return 2;
}
