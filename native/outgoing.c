// Gathers the packets of a batch and writes them; what the kernel refuses stays in the batch.
#include "outgoing.h"

#include <errno.h>
#include <unistd.h>

// Fewer are written sooner with a system call each (bench/clients/tun-ring.c).
#define LEAST_BY_RING 4
// So many rows are not joined after the kernel had no room for joined ones.
#define ROWS_APART 4096

static int write_piece(int descriptor, const struct piece *piece) {
  for (;;) {
    const struct iovec *parts = piece->parts;
    ssize_t octets = piece->count == 1 ? write(descriptor, parts->iov_base, parts->iov_len) : writev(descriptor, parts, piece->count);
    if (octets >= 0) return 0;
    if (errno != EINTR) return -errno;
  }
}

// Ends at the first that is refused: whatever follows it has to come after it.
static void write_each(int descriptor, struct piece *pieces, int count) {
  int error = 0;
  for (int at = 0; at < count; at++) {
    if (error == 0) error = write_piece(descriptor, pieces + at);
    pieces[at].error = error;
  }
}

bool is_refused(const struct rows *rows, int32_t row) {
  return rows->refused > 0 && rows->last == row;
}

void refuse_row(struct rows *rows, int32_t row, int error) {
  if (rows->refused == 0) rows->error = error;
  int32_t at = rows->first + rows->refused++;
  rows->last = row;
  rows->offsets[at] = rows->offsets[row];
  rows->lengths[at] = rows->lengths[row];
}

static void set_whole(struct piece *piece, const struct rows *rows, int32_t row, size_t header) {
  piece->parts[0].iov_base = rows->bytes + rows->offsets[row] - header;
  piece->parts[0].iov_len = (size_t)rows->lengths[row] + header;
  piece->count = 1;
}

static void write_apart(struct outgoing *outgoing, struct rows *rows, const struct piece *joined) {
  struct piece apart[MOST_ROWS];
  outgoing->rows_apart = ROWS_APART;
  for (int32_t at = 0; at < joined->rows; at++) set_whole(apart + at, rows, joined->row + at, OFFLOAD_HEADER);
  write_each(outgoing->descriptor, apart, joined->rows);
  for (int32_t at = 0; at < joined->rows; at++)
    if (apart[at].error < 0) refuse_row(rows, joined->row + at, apart[at].error);
}

static void refuse_piece(struct outgoing *outgoing, struct rows *rows, const struct piece *piece) {
  // Of a row that was cut, the first piece that was refused says what is left.
  if (is_refused(rows, piece->row)) return;
  // There may be no memory for so long a packet.
  if (piece->rows > 1 && piece->error != -EAGAIN) {
    write_apart(outgoing, rows, piece);
    return;
  }
  if (piece->done > 0) keep_rest(rows, piece->row, piece->done);
  for (int32_t row = piece->row; row < piece->row + piece->rows; row++) refuse_row(rows, row, piece->error);
}

void flush_pieces(struct outgoing *outgoing, struct rows *rows) {
  struct piece *pieces = outgoing->pieces;
  int count = outgoing->count, written = 0;
  bool has_room = rows->refused == 0 || rows->error != -EAGAIN;
  if (has_room && outgoing->ring != NULL && count >= LEAST_BY_RING) written = write_by_ring(outgoing->ring, pieces, count);
  if (has_room) write_each(outgoing->descriptor, pieces + written, count - written);
  for (int at = 0; at < count; at++) {
    if (!has_room) pieces[at].error = -EAGAIN;
    if (pieces[at].error < 0) refuse_piece(outgoing, rows, pieces + at);
  }
  outgoing->count = 0;
}

struct piece *add_piece(struct outgoing *outgoing, struct rows *rows, int32_t row) {
  if (outgoing->count == MOST_PIECES) flush_pieces(outgoing, rows);
  struct piece *piece = outgoing->pieces + outgoing->count++;
  piece->row = row;
  piece->rows = 1;
  piece->done = 0;
  return piece;
}

void add_packet(struct outgoing *outgoing, struct rows *rows, int32_t row, size_t header) {
  set_whole(add_piece(outgoing, rows, row), rows, row, header);
}
