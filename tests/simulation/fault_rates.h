// How often what fails, in each of the simulations: one table.
//
// A fault that would hide the others when it struck each time is there in some of the periods only:
// drawn anew by the simulation's own generator, so that the seed decides. Pure otherwise.
#pragma once

#include <random>

#include "sim/fault_plan.h"

namespace holdfast::simulation {

// What is at work while the services fail.
enum class AtWork { kShopBackup, kShopPrune, kDaysBackup, kDaysPrune };

// The rates of a period of that work.
sim::FaultRates DrawFaultRates(AtWork work, std::mt19937_64& random);

}  // namespace holdfast::simulation
