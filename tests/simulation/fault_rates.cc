#include "tests/simulation/fault_rates.h"

#include <array>

namespace holdfast::simulation {

namespace {

struct Rate {
  double rate = 0;         // per call, job or message
  uint64_t percent = 100;  // of the periods in which it is so at all
};

struct Row {
  double sim::FaultRates::*kind;
  std::array<Rate, 4> of_work;  // in order of AtWork
};

using sim::FaultRates;

// clang-format off
const Row kRows[] = {
    //                                shop: backup   prune          days: backup   prune
    {&FaultRates::unavailable,       {{{0.005},      {0.02},        {0.02},        {0.02}}}},
    {&FaultRates::throttled,         {{{0.005},      {0.02},        {0.02},        {0.02}}}},
    {&FaultRates::reset_before,      {{{0.005},      {},            {0.01},        {}}}},
    {&FaultRates::reset_after,       {{{0.01},       {0.02},        {0.02},        {0.02}}}},
    {&FaultRates::timeout,           {{{0.005},      {},            {},            {}}}},
    {&FaultRates::cut_read,          {{{0.02},       {},            {},            {}}}},
    {&FaultRates::job_failure,       {{{0.05},       {},            {0.05},        {}}}},
    {&FaultRates::drop_table,        {{{0.02, 20},   {},            {0.01, 20},    {}}}},
    {&FaultRates::lost_ack,          {{{0.05},       {},            {0.05},        {}}}},
    {&FaultRates::lost_message,      {{{0.005},      {},            {},            {}}}},
    {&FaultRates::duplicate_message, {{{0.1},        {},            {},            {}}}},
    {&FaultRates::delayed_message,   {{{0.05},       {},            {},            {}}}},
    {&FaultRates::reordered_message, {{{0.2},        {},            {},            {}}}},
    {&FaultRates::corrupt_write,     {{{0.1, 30},    {},            {0.1, 30},     {}}}},
    {&FaultRates::told_conflict,     {{{0.05},       {},            {},            {}}}},
    {&FaultRates::rival,             {{{0.3},        {},            {},            {}}}},
    {&FaultRates::disk_full,         {{{0.02, 30},   {0.05, 30},    {},            {}}}},
    {&FaultRates::lost_commit,       {{{0.005},      {0.02},        {},            {}}}}};
// clang-format on

}  // namespace

sim::FaultRates DrawFaultRates(AtWork work, std::mt19937_64& random) {
  sim::FaultRates rates;
  for (const Row& row : kRows) {
    const Rate& rate = row.of_work[static_cast<size_t>(work)];
    const bool strikes = rate.percent == 100 || random() % 100 < rate.percent;
    rates.*row.kind = strikes ? rate.rate : 0.0;
  }
  return rates;
}

}  // namespace holdfast::simulation
