// Many writes with one system call, by io_uring: a fifth of what a short packet costs is entering the kernel and leaving it
// again (bench/clients/tun-ring.c). Where the kernel can't write to a TUN device that way without waiting (before 6.4), or a
// sandbox forbids it, there is no ring. Each write is done before `io_uring_enter` returns: nothing is in flight when nobody looks.
#include "outgoing.h"

#if __has_include(<linux/io_uring.h>)

#include <errno.h>
#include <linux/io_uring.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// One mapping for both queues, no result that is dropped, and -1 as the offset in what has none.
#define FEATURES (IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS)

struct ring {
  int descriptor;
  size_t size;
  uint8_t *memory;
  struct io_uring_sqe *requests;
  unsigned *tail;
  unsigned mask;
  unsigned *result_head;
  unsigned *result_tail;
  unsigned result_mask;
  const struct io_uring_cqe *results;
};

static int enter(const struct ring *ring, int given, int awaited) {
  return (int)syscall(SYS_io_uring_enter, ring->descriptor, given, awaited, IORING_ENTER_GETEVENTS, NULL, 0);
}

static bool map_queues(struct ring *ring, int descriptor, const struct io_uring_params *given) {
  size_t requests = given->sq_off.array + given->sq_entries * sizeof(unsigned);
  size_t results = given->cq_off.cqes + given->cq_entries * sizeof(struct io_uring_cqe);
  ring->size = requests > results ? requests : results;
  int flags = MAP_SHARED | MAP_POPULATE;
  void *memory = mmap(NULL, ring->size, PROT_READ | PROT_WRITE, flags, ring->descriptor, IORING_OFF_SQ_RING);
  if (memory == MAP_FAILED) return false;
  ring->memory = memory;
  size_t size = given->sq_entries * sizeof(struct io_uring_sqe);
  memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, ring->descriptor, IORING_OFF_SQES);
  if (memory == MAP_FAILED) return false;
  ring->requests = memory;
  ring->tail = (unsigned *)(ring->memory + given->sq_off.tail);
  ring->mask = given->sq_entries - 1;
  ring->result_head = (unsigned *)(ring->memory + given->cq_off.head);
  ring->result_tail = (unsigned *)(ring->memory + given->cq_off.tail);
  ring->result_mask = given->cq_entries - 1;
  ring->results = (const struct io_uring_cqe *)(ring->memory + given->cq_off.cqes);
  unsigned *order = (unsigned *)(ring->memory + given->sq_off.array);
  for (unsigned at = 0; at < given->sq_entries; at++) {
    order[at] = at;
    // What is the same for all: no offset, and no waiting, which O_NONBLOCK alone does not say here. A ring that knew the file, which would
    // save the kernel from looking for it, would keep it open for 30 ms after a process was killed.
    ring->requests[at] = (struct io_uring_sqe){.fd = descriptor, .off = (uint64_t)-1, .rw_flags = RWF_NOWAIT};
  }
  return true;
}

void close_ring(struct ring *ring) {
  if (ring == NULL) return;
  if (ring->requests != NULL) munmap(ring->requests, (ring->mask + 1) * sizeof *ring->requests);
  if (ring->memory != NULL) munmap(ring->memory, ring->size);
  close(ring->descriptor);
  free(ring);
}

static void give(const struct ring *ring, const struct piece *piece, unsigned at, int number) {
  struct io_uring_sqe *request = ring->requests + (at & ring->mask);
  bool is_whole = piece->count == 1;
  request->opcode = is_whole ? IORING_OP_WRITE : IORING_OP_WRITEV;
  request->addr = (uint64_t)(uintptr_t)(is_whole ? piece->parts[0].iov_base : (const void *)piece->parts);
  request->len = is_whole ? (uint32_t)piece->parts[0].iov_len : (uint32_t)piece->count;
  request->user_data = (uint64_t)number;
}

// How many results there were.
static int take_results(const struct ring *ring, struct piece *pieces) {
  unsigned head = *ring->result_head, tail = __atomic_load_n(ring->result_tail, __ATOMIC_ACQUIRE);
  int count = (int)(tail - head);
  for (; head != tail; head++) {
    const struct io_uring_cqe *result = ring->results + (head & ring->result_mask);
    pieces[result->user_data].error = result->res < 0 ? result->res : 0;
  }
  __atomic_store_n(ring->result_head, head, __ATOMIC_RELEASE);
  return count;
}

// Gives the next requests to the kernel, and says how many it took. What it did not take, for want of memory, is no longer asked for.
static int submit(const struct ring *ring, int count) {
  unsigned tail = *ring->tail;
  int given;
  __atomic_store_n(ring->tail, tail + (unsigned)count, __ATOMIC_RELEASE);
  do given = enter(ring, count, count);
  while (given < 0 && errno == EINTR);
  if (given < 0) given = 0;
  if (given < count) __atomic_store_n(ring->tail, tail + (unsigned)given, __ATOMIC_RELEASE);
  return given;
}

int write_by_ring(struct ring *ring, struct piece *pieces, int count) {
  for (int at = 0; at < count; at++) {
    give(ring, pieces + at, *ring->tail + (unsigned)at, at);
    pieces[at].error = 0;
  }
  int given = submit(ring, count);
  for (int done = 0; done < given;) {
    int taken = take_results(ring, pieces);
    done += taken;
    // Never seen: a result that is not there when the kernel returns. Its octets are borrowed, so that it must be waited for.
    if (taken == 0 && enter(ring, 0, given - done) < 0 && errno != EINTR) break;
  }
  return given;
}

// Whether the file can be asked not to wait: by a read of no octets, which takes nothing.
static bool can_do_without_waiting(const struct ring *ring) {
  struct piece nothing = {.count = 1};
  give(ring, &nothing, *ring->tail, 0);
  ring->requests[*ring->tail & ring->mask].opcode = IORING_OP_READ;
  return submit(ring, 1) == 1 && take_results(ring, &nothing) == 1 && nothing.error != -EOPNOTSUPP;
}

struct ring *open_ring(int descriptor) {
  struct io_uring_params given = {0};
  struct ring *ring = calloc(1, sizeof *ring);
  if (ring == NULL) return NULL;
  ring->descriptor = (int)syscall(SYS_io_uring_setup, MOST_PIECES, &given);
  if (ring->descriptor < 0) {
    free(ring);
    return NULL;
  }
  if ((given.features & FEATURES) == FEATURES && map_queues(ring, descriptor, &given) && can_do_without_waiting(ring)) return ring;
  close_ring(ring);
  return NULL;
}

#else

struct ring *open_ring(int descriptor) {
  (void)descriptor;
  return NULL;
}

void close_ring(struct ring *ring) {
  (void)ring;
}

int write_by_ring(struct ring *ring, struct piece *pieces, int count) {
  (void)ring;
  (void)pieces;
  (void)count;
  return 0;
}

#endif
