// What leaves in one call: packets for the kernel, in order. Written with one system call where it takes many at once (ring.c),
// else with one each.
#ifndef TUNSTACK_OUTGOING_H
#define TUNSTACK_OUTGOING_H

#include "netlink.h"
#include "offload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define MOST_PIECES 64
// Of a batch, in one packet.
#define MOST_ROWS 8
#define MOST_OWN 8

// One packet, with the header before it; in parts where its text lies apart from what is before that.
struct piece {
  struct iovec parts[1 + MOST_ROWS];
  int count;
  // The first row of the batch that it is of, how many it is of, and how much of a single one's text goes before it.
  int32_t row;
  int32_t rows;
  int32_t done;
  // 0, or the negative errno it was refused with.
  int32_t error;
};

// Rows of a batch, and those that were refused, which are gathered from `first` on.
struct rows {
  uint8_t *bytes;
  int32_t *offsets;
  int32_t *lengths;
  int32_t first;
  int32_t refused;
  // The number that the last of them had, and the first one's errno.
  int32_t last;
  int32_t error;
};

struct ring;

struct outgoing {
  int descriptor;
  // NULL where the kernel has none, or lets us have none.
  struct ring *ring;
  // The kernel's own addresses, to which rows are joined; and how many rows are not, for now.
  int own_count;
  struct internet_address own[MOST_OWN];
  int32_t rows_apart;
  int count;
  struct piece pieces[MOST_PIECES];
  // For those in parts.
  uint8_t headers[MOST_PIECES][OFFLOAD_HEADER + LONGEST_HEADERS];
};

// outgoing.c
// The next piece, of this row, to be filled in before any other is asked for; `headers` of the same number is its own.
struct piece *add_piece(struct outgoing *outgoing, struct rows *rows, int32_t row);
// The row as it lies, with so many octets of header before it.
void add_packet(struct outgoing *outgoing, struct rows *rows, int32_t row, size_t header);
void flush_pieces(struct outgoing *outgoing, struct rows *rows);
void refuse_row(struct rows *rows, int32_t row, int error);
bool is_refused(const struct rows *rows, int32_t row);

// join.c
bool kernel_takes_joined(void);
// Whether the row goes with the piece that was added last: it has been taken in.
bool join_row(struct outgoing *outgoing, const struct rows *rows, int32_t row);

// segment.c: cuts a row where the header before it asks for that, and adds what comes of it. 0, or -EINVAL where the header makes no sense.
int add_segments(struct outgoing *outgoing, struct rows *rows, int32_t row);
// So much of the row's text has gone, which is more than none: what is left becomes a super-segment again.
void keep_rest(struct rows *rows, int32_t row, int32_t done);

// ring.c: io_uring, for a descriptor that does not block.
struct ring *open_ring(int descriptor);
void close_ring(struct ring *ring);
// Says how many of the pieces, from the first on, the kernel was given; each of those has its `error`.
int write_by_ring(struct ring *ring, struct piece *pieces, int count);

#endif
