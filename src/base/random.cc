#include "base/random.h"

#include <mutex>
#include <random>

namespace holdfast {

namespace {

class MersenneRandom final : public Random {
 public:
  explicit MersenneRandom(uint64_t seed) : engine_(seed) {}

  uint64_t Next() override {
    const std::lock_guard lock(mutex_);
    return engine_();
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace

std::unique_ptr<Random> MakeSeededRandom(uint64_t seed) {
  return std::make_unique<MersenneRandom>(seed);
}

std::unique_ptr<Random> MakeSystemRandom() {
  std::random_device device;
  const uint64_t high = device();
  return std::make_unique<MersenneRandom>((high << 32U) | device());
}

std::string RandomHex(Random& random, int bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(static_cast<size_t>(bytes) * 2);
  uint64_t bits = 0;
  for (int i = 0; i < bytes * 2; ++i) {
    if (i % 16 == 0) bits = random.Next();
    text += kDigits[bits & 15U];
    bits >>= 4U;
  }
  return text;
}

}  // namespace holdfast
