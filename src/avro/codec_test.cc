#include "avro/codec.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <string>

#include "avro/file_fixture.h"
#include "base/random.h"

namespace holdfast::avro {
namespace {

constexpr size_t kNoLimit = size_t{1} << 30U;

std::string Compressed(Codec codec, std::string_view plain, int level = 0) {
  ByteBuffer buffer;
  auto compressor = MakeCompressor(codec, level);
  EXPECT_TRUE(compressor.ok());
  EXPECT_TRUE((*compressor)->Compress(plain, buffer).ok());
  return std::string(buffer.view());
}

Result<std::string> Decompressed(Codec codec, std::string_view compressed,
                                 size_t limit = kNoLimit) {
  ByteBuffer buffer;
  HF_RETURN_IF_ERROR(MakeDecompressor(codec)->Decompress(compressed, limit, buffer));
  for (size_t i = 0; i < ByteBuffer::kSlackBytes; ++i)
    EXPECT_EQ(buffer.data()[buffer.size() + i], 0);
  return std::string(buffer.view());
}

TEST(Codec, GivesBackWhatItTook) {
  const auto random = MakeSeededRandom(7);
  std::string noise(300'000, '\0');
  for (char& c : noise) c = static_cast<char>(random->Next());
  for (const std::string& plain :
       {std::string(), std::string("a"), std::string(5'000'000, 'z'), noise}) {
    for (const Codec codec : kCodecs) {
      const auto back = Decompressed(codec, Compressed(codec, plain));
      ASSERT_TRUE(back.ok()) << CodecName(codec) << back.error().message;
      EXPECT_EQ(*back, plain) << CodecName(codec);
    }
  }
}

TEST(Codec, ReusesItsBuffersForBlocksOfAnySize) {
  for (const Codec codec : kCodecs) {
    const auto decompressor = MakeDecompressor(codec);
    ByteBuffer buffer;
    for (const size_t size :
         {size_t{100'000}, size_t{3}, size_t{0}, size_t{2'000'000}, size_t{50}}) {
      const std::string plain(size, 'q');
      ASSERT_TRUE(decompressor->Decompress(Compressed(codec, plain), kNoLimit, buffer).ok());
      EXPECT_EQ(buffer.view(), plain);
    }
  }
}

TEST(Codec, RefusesABombBeforeItGrows) {
  const std::string plain(50'000'000, '\0');
  for (const Codec codec : kCodecs) {
    const std::string bomb = Compressed(codec, plain);
    const auto refused = Decompressed(codec, bomb, 1'000'000);
    ASSERT_FALSE(refused.ok()) << CodecName(codec);
    EXPECT_EQ(refused.error().id, ErrorId::kAvroLimit) << CodecName(codec);
    EXPECT_TRUE(Decompressed(codec, bomb, plain.size()).ok()) << CodecName(codec);
    EXPECT_FALSE(Decompressed(codec, bomb, plain.size() - 1).ok()) << CodecName(codec);
  }
}

TEST(Codec, RefusesDataThatIsCutShort) {
  const std::string plain =
      "the quick brown fox jumps over the lazy dog, again and again and again";
  for (const Codec codec : {Codec::kDeflate, Codec::kSnappy, Codec::kZstd}) {
    const std::string whole = Compressed(codec, plain);
    for (size_t size = 0; size < whole.size(); ++size) {
      const auto cut = Decompressed(codec, whole.substr(0, size));
      ASSERT_FALSE(cut.ok()) << CodecName(codec) << size;
      EXPECT_EQ(cut.error().id, ErrorId::kAvroCorrupt);
    }
    EXPECT_FALSE(Decompressed(codec, whole + "12345").ok()) << CodecName(codec);
  }
}

TEST(Codec, TakesDeflateWithWhatIsLeftOfZlibsChecksum) {
  const std::string data = Compressed(Codec::kDeflate, "fastavro leaves three bytes");
  EXPECT_EQ(*Decompressed(Codec::kDeflate, data + "abc"), "fastavro leaves three bytes");
}

TEST(Codec, EndsSnappyDataWithTheBigEndianCrc32OfThePlainBytes) {
  const std::string data = Compressed(Codec::kSnappy, "123456789");
  EXPECT_EQ(data.substr(data.size() - 4), "\xCB\xF4\x39\x26");  // the check value of CRC-32
  std::string wrong = data;
  wrong.back() ^= 1;
  EXPECT_EQ(Decompressed(Codec::kSnappy, wrong).error().id, ErrorId::kAvroCorrupt);
}

TEST(Codec, ReadsZstandardFramesThatDoNotSayTheirSize) {
  const std::string plain(1'000'000, 'k');
  ZSTD_CCtx* const state = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(state, ZSTD_c_contentSizeFlag, 0);
  std::string frame(ZSTD_compressBound(plain.size()), '\0');
  frame.resize(ZSTD_compress2(state, frame.data(), frame.size(), plain.data(), plain.size()));
  ZSTD_freeCCtx(state);
  EXPECT_EQ(*Decompressed(Codec::kZstd, frame), plain);
  EXPECT_EQ(*Decompressed(Codec::kZstd, frame + frame), plain + plain);
  EXPECT_EQ(*Decompressed(Codec::kZstd, Compressed(Codec::kZstd, "ab") + frame), "ab" + plain);
  EXPECT_EQ(Decompressed(Codec::kZstd, frame, 999'999).error().id, ErrorId::kAvroLimit);
  EXPECT_FALSE(Decompressed(Codec::kZstd, frame.substr(0, frame.size() - 1)).ok());
}

TEST(Codec, KnowsItsNamesAndLevels) {
  for (const Codec codec : kCodecs) EXPECT_EQ(FindCodec(CodecName(codec)), codec);
  EXPECT_EQ(CodecName(Codec::kZstd), "zstandard");
  EXPECT_FALSE(FindCodec("lzma").has_value());
  EXPECT_LT(Compressed(Codec::kDeflate, std::string(100'000, 'a') + "b", 12).size(), 1000U);
  EXPECT_FALSE(MakeCompressor(Codec::kSnappy, 1).ok());
  EXPECT_FALSE(MakeCompressor(Codec::kZstd, 20).ok());
  EXPECT_FALSE(MakeCompressor(Codec::kDeflate, -1).ok());
}

}  // namespace
}  // namespace holdfast::avro
