// Randomness as a port: backoff jitter and fresh ids come from a Random that can be seeded.
//
// Thread-safe implementations only. Not for secrets. Source: DESIGN §1.6.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace holdfast {

class Random {
 public:
  virtual ~Random() = default;

  // 64 uniformly distributed bits.
  virtual uint64_t Next() = 0;
};

// A generator that gives the same sequence for the same seed. Thread-safe.
std::unique_ptr<Random> MakeSeededRandom(uint64_t seed);

// A generator seeded from the operating system. Thread-safe.
std::unique_ptr<Random> MakeSystemRandom();

// 2 * `bytes` lower-case hexadecimal digits.
std::string RandomHex(Random& random, int bytes);

}  // namespace holdfast
