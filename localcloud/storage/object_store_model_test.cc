// The store against a model of a few lines: random operations, the same answers.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "localcloud/storage/store_fixture.h"

namespace holdfast::storage {
namespace {

struct ModelVersion {
  std::string bytes;
  int64_t metageneration = 1;
  bool live = true;
};

// What a versioned or plain bucket should hold: name → generation → version.
struct Model {
  bool versioned = false;
  std::map<std::string, std::map<int64_t, ModelVersion>> names;

  // The live generation; 0 when there is none.
  int64_t LiveGeneration(const std::string& name) const {
    const auto found = names.find(name);
    if (found == names.end()) return 0;
    for (const auto& [generation, version] : found->second) {
      if (version.live) return generation;
    }
    return 0;
  }

  void RetireLive(const std::string& name) {
    const int64_t live = LiveGeneration(name);
    if (live == 0) return;
    if (versioned) {
      names[name][live].live = false;
    } else {
      names[name].erase(live);
    }
  }
};

struct Harness {
  Model model;
  StoreFixture fixture;

  std::string AnyName() { return *rc::gen::element<std::string>("a", "b", "dir/c", "../d"); }

  // A generation worth naming: the live one, an old one, none, or one that never was.
  int64_t AnyGeneration(const std::string& name) {
    std::vector<int64_t> choices = {0, 1, model.LiveGeneration(name)};
    for (const auto& entry : model.names[name]) choices.push_back(entry.first);
    return *rc::gen::elementOf(choices);
  }

  void Write() {
    const std::string name = AnyName();
    const std::string bytes = *rc::gen::string<std::string>();
    NewObject object{.bucket = "bucket", .name = name};
    if (*rc::gen::arbitrary<bool>()) object.preconditions.generation_match = AnyGeneration(name);
    const bool allowed = !object.preconditions.generation_match ||
                         *object.preconditions.generation_match == model.LiveGeneration(name);
    const auto written = fixture.Write(object, bytes);
    RC_ASSERT(written.ok() == allowed);
    if (!allowed) return;
    for (const auto& entry : model.names[name]) RC_ASSERT(entry.first < written->generation);
    model.RetireLive(name);
    model.names[name][written->generation] = {.bytes = bytes};
  }

  void Change() {
    const std::string name = AnyName();
    const int64_t live = model.LiveGeneration(name);
    const int64_t expected = *rc::gen::inRange<int64_t>(1, 4);
    const auto changed = fixture.store().ChangeObject(
        {"bucket", name}, {.metageneration_match = expected}, [](ObjectRecord&) { return Ok(); });
    const bool allowed = live != 0 && model.names[name][live].metageneration == expected;
    RC_ASSERT(changed.ok() == allowed);
    if (allowed) ++model.names[name][live].metageneration;
  }

  void Delete() {
    const std::string name = AnyName();
    const int64_t generation = AnyGeneration(name);
    const bool there =
        generation == 0 ? model.LiveGeneration(name) != 0 : model.names[name].contains(generation);
    RC_ASSERT(fixture.store().DeleteObject({"bucket", name, generation}).ok() == there);
    if (!there) return;
    if (generation == 0) {
      model.RetireLive(name);
    } else {
      model.names[name].erase(generation);
    }
  }

  void Copy() {
    const std::string from = AnyName();
    const std::string to = AnyName();
    const int64_t live = model.LiveGeneration(from);
    const auto copied =
        fixture.store().CopyObject({"bucket", from}, {}, {.bucket = "bucket", .name = to}, {});
    RC_ASSERT(copied.ok() == (live != 0));
    if (live == 0) return;
    const std::string bytes = model.names[from][live].bytes;
    model.RetireLive(to);
    model.names[to][copied->generation] = {.bytes = bytes};
  }

  // Everything that can be seen is as the model has it.
  void Compare() {
    std::vector<std::tuple<std::string, int64_t, std::string, int64_t, bool>> expected;
    std::vector<std::tuple<std::string, int64_t, std::string, int64_t, bool>> actual;
    for (const auto& [name, versions] : model.names) {
      for (const auto& [generation, version] : versions) {
        expected.emplace_back(name, generation, version.bytes, version.metageneration,
                              version.live);
      }
    }
    ObjectQuery query{.bucket = "bucket", .versions = true, .limit = *rc::gen::inRange(1, 5)};
    do {
      const auto page = fixture.store().ListObjects(query);
      RC_ASSERT(page.ok());
      for (const ObjectRecord& object : page->objects) {
        const auto bytes = fixture.Read({"bucket", object.name, object.generation});
        RC_ASSERT(bytes.ok());
        actual.emplace_back(object.name, object.generation, *bytes, object.metageneration,
                            !object.deleted);
      }
      query.after = page->next;
    } while (!query.after.empty());
    RC_ASSERT(actual == expected);
  }
};

void RunAgainstModel(bool versioned) {
  Harness harness;
  harness.model.versioned = versioned;
  harness.fixture.MakeBucket("bucket", {{"versioning", {{"enabled", versioned}}}});
  const int steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
      case 1:
        harness.Write();
        break;
      case 2:
        harness.Change();
        break;
      case 3:
        harness.Delete();
        break;
      case 4:
        harness.Copy();
        break;
      default:
        harness.fixture.clock().Advance(Duration{*rc::gen::inRange(-5, 1000)});
        break;
    }
  }
  harness.Compare();
  harness.fixture.Reopen();
  harness.Compare();
}

TEST(StoreModel, OfAPlainBucketAnswersTheSame) {
  EXPECT_TRUE(rc::check([] { RunAgainstModel(false); }));
}

TEST(StoreModel, OfAVersionedBucketAnswersTheSame) {
  EXPECT_TRUE(rc::check([] { RunAgainstModel(true); }));
}

}  // namespace
}  // namespace holdfast::storage
