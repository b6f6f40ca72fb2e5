// ContentDigest: a number for the content of a table that does not depend on the order of its rows.
//
// Each row's values are written in one canonical form and hashed to 128 bits (XXH3); the digest is
// the sum of the hashes modulo 2^128 and the number of rows. Rows that are there twice count twice,
// so two tables have the same digest when they hold the same multiset of rows - but for chance
// (2^-128), and for someone who chooses rows to collide: SHA-256 of the objects guards those.
//
// What counts as the same value: NULL differs from every value, and from an empty text; a NULL
// array is an empty array (the warehouse keeps no difference); all NaNs are one; -0.0 is not 0.0,
// because a backup keeps it; numbers of NUMERIC at any scale, and DATETIME in either Avro encoding,
// are equal when their values are; text (also JSON and GEOGRAPHY) is compared byte by byte. Column
// names and types are not in it: SchemaHash covers them.
//
// A value type; one thread at a time. Merging digests of parts gives the digest of the whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "avro/batch.h"
#include "model/schema.h"

namespace holdfast::verify {

class ContentDigest {
 public:
  // Adds the rows of `batch`, whose columns are those of `schema`, in its order.
  void Add(const Schema& schema, const avro::BatchView& batch);

  // Adds all rows of another digest.
  void Merge(const ContentDigest& other);

  uint64_t rows() const { return rows_; }

  // "hf1:<rows>:<32 hexadecimal digits>", and back; nullopt for other text.
  std::string ToString() const;
  static std::optional<ContentDigest> Parse(std::string_view text);

  bool operator==(const ContentDigest&) const = default;

 private:
  uint64_t rows_ = 0;
  unsigned __int128 sum_ = 0;
};

}  // namespace holdfast::verify
