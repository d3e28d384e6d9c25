"""do-mpc on its batch reactor, as its example sets it up, for one model: CPU milliseconds a step, and what came of it."""

import json
import time

import do_mpc
import numpy as np

MODEL = {"mu_m": 0.02, "K_m": 0.05, "K_i": 5.0, "v_par": 0.004, "Y_p": 1.2}


def reactor():
    model = do_mpc.model.Model("continuous")
    x, s, p, v = (model.set_variable("_x", n) for n in ("X_s", "S_s", "P_s", "V_s"))
    feed = model.set_variable("_u", "inp")
    yields, inflow = model.set_variable("_p", "Y_x"), model.set_variable("_p", "S_in")
    mu = MODEL["mu_m"] * s / (MODEL["K_m"] + s + s**2 / MODEL["K_i"])
    model.set_rhs("X_s", mu * x - feed / v * x)
    model.set_rhs("S_s", -mu * x / yields - MODEL["v_par"] * x / MODEL["Y_p"] + feed / v * (inflow - s))
    model.set_rhs("P_s", MODEL["v_par"] * x - feed / v * p)
    model.set_rhs("V_s", feed)
    model.setup()
    return model


def controller(model):
    mpc = do_mpc.controller.MPC(model)
    mpc.set_param(n_horizon=20, n_robust=0, open_loop=0, t_step=1.0, state_discretization="collocation", collocation_type="radau",
                  collocation_deg=2, collocation_ni=2, nlpsol_opts={"ipopt.print_level": 0, "ipopt.sb": "yes", "print_time": 0})
    mpc.set_objective(mterm=-model.x["P_s"], lterm=-model.x["P_s"])
    mpc.set_rterm(inp=1.0)
    for name, low in (("X_s", 0.0), ("S_s", -0.01), ("P_s", 0.0), ("V_s", 0.0)):
        mpc.bounds["lower", "_x", name] = low
    mpc.bounds["upper", "_x", "X_s"] = 3.7
    mpc.bounds["upper", "_x", "P_s"] = 3.0
    mpc.bounds["lower", "_u", "inp"], mpc.bounds["upper", "_u", "inp"] = 0.0, 0.2
    mpc.set_uncertainty_values(Y_x=np.array([0.4]), S_in=np.array([200.0]))
    mpc.setup()
    return mpc


def main():
    model = reactor()
    mpc = controller(model)
    plant = do_mpc.simulator.Simulator(model)
    plant.set_param(integration_tool="cvodes", abstol=1e-10, reltol=1e-10, t_step=1.0)
    values = plant.get_p_template()
    values["Y_x"], values["S_in"] = 0.4, 200.0
    plant.set_p_fun(lambda _: values)
    plant.setup()
    state = np.array([[1.0], [0.5], [0.0], [120.0]])
    mpc.x0, plant.x0 = state, state
    mpc.set_initial_guess()
    took, most = [], 0.0
    for _ in range(150):
        begin = time.process_time()
        feed = mpc.make_step(state)
        took.append(1000.0 * (time.process_time() - begin))
        state = plant.make_step(feed)
        most = max(most, float(state[0, 0]))
    print(json.dumps({"case": "one model", "ms_mean": float(np.mean(took)), "ms_median": float(np.median(took)), "ms_most": float(np.max(took)),
                      "P": float(state[2, 0]), "V": float(state[3, 0]), "over": most - 3.7}))


if __name__ == "__main__":
    main()
