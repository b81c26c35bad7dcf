// What a timer of the kernel's costs on this machine: `timer-cost` sets one so many microseconds ahead, again and again, and prints how long
// setting it takes, how late it comes, and for how long it keeps the processor when it does. In virtual machines each is an exit to the host,
// and a sender that is paced sets one for each packet that must wait. Built with: cc -O2 -o timer-cost timer-cost.c
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { TIMES = 2000 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int by_size(const void *left, const void *right) {
  double difference = *(const double *)left - *(const double *)right;
  return difference < 0 ? -1 : difference > 0;
}

static double median(double *values) {
  qsort(values, TIMES, sizeof *values, by_size);
  return values[TIMES / 2];
}

int main(void) {
  static const long aheads[] = {8, 20, 50, 200, 2000};
  static double set[TIMES], late[TIMES], kept[TIMES];
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  for (size_t each = 0; each < sizeof aheads / sizeof *aheads; each++) {
    for (int times = 0; times < TIMES; times++) {
      struct itimerspec when = {.it_value.tv_nsec = aheads[each] * 1000};
      double begin = now();
      timerfd_settime(timer, 0, &when, NULL);
      double before = now(), due = begin + (double)aheads[each], longest = 0;
      uint64_t expirations;
      set[times] = before - begin;
      for (;;) {
        double time = now();
        if (time - before > longest) longest = time - before;
        before = time;
        if (time > due && read(timer, &expirations, sizeof expirations) > 0) break;
      }
      late[times] = now() - due;
      kept[times] = longest;
    }
    printf("%ld us ahead: set in %.1f us, %.1f us late, keeps the processor for %.1f us\n", aheads[each], median(set), median(late),
           median(kept));
  }
  return 0;
}
