"""PyTorch as a peer of `npm run bench`, eager: see peer.py."""

import sys

import torch

import networks
import peer


class Workload(peer.Workload):
    """What lib/training.ts does in a step, and lib/scoreModel.ts in denoise()."""

    def __init__(self, folder):
        super().__init__(folder)
        self.network = networks.build(self.about["shape"], self.about["network"])
        self.rows = torch.tensor(self.about["rows"])
        self.groups = torch.tensor(self.about["groups"])

    def tensor(self, values, shape):
        return torch.frombuffer(values, dtype=torch.float32).reshape(shape)

    def start(self):
        networks.load(self.network, self.weights)
        training = self.about["training"]
        self.parameters = list(self.network.parameters())
        betas = (training["beta1"], training["beta2"])
        self.adam = torch.optim.Adam(self.parameters, lr=training["rate"], betas=betas)
        self.average = [parameter.detach().clone() for parameter in self.parameters]

    def batch(self):
        """The batch's rows and what is known of their conditions."""
        fields = self.tensors["fields"].index_select(0, self.rows)
        context = {
            name: self.tensors[name].index_select(0, self.groups)
            for name in ("inputs", "variances", "vectors")
            if name in self.tensors
        }
        return fields, context

    def gains(self, variances, levels):
        """See gainsOf in lib/gaussian/preconditioner.ts: levels [n, rows, 1]."""
        l = variances.unsqueeze(1)
        total = (l + levels.square()).sqrt()
        linear = l / total.square()
        return total, linear, levels * linear.sqrt()

    def residual(self, z, total, linear, time_input, context):
        """See ModalPreconditioner.residual."""
        vectors = context["vectors"]
        n, rows, _ = z.shape
        cells = self.about["shape"]["cells"]

        def in_cells(modal):
            return torch.bmm(modal, vectors.transpose(1, 2)).reshape(n * rows, cells, -1)

        seen = torch.cat([in_cells(z / total), in_cells(z * linear)], dim=2)
        inputs = context["inputs"].repeat_interleave(len(time_input) // n, dim=0)
        output = self.network(seen, inputs, time_input)
        return torch.bmm(output.reshape(n, rows, -1), vectors) * linear.amax(dim=2, keepdim=True)

    def loss(self, noise):
        """See batchLoss in lib/storage/batches.ts."""
        clean, context = self.batch()
        mean, std, level, time_input = (
            self.tensors[f"batch/{name}"] for name in ("mean", "std", "level", "timeInput")
        )
        n = len(self.groups)
        rows = len(clean) // n
        if self.about["target"] == "residual":
            vectors, variances = context["vectors"], context["variances"]
            exact = torch.bmm(clean.reshape(n, rows, -1), vectors)
            z = exact + torch.bmm((noise * level[:, None, None]).reshape(n, rows, -1), vectors)
            total, linear, error = self.gains(variances, level.reshape(n, rows, 1))
            left = (exact - z * linear) / error
            seen = variances / (variances + peer.FAINT_VARIANCE)
            weights = (seen / seen.mean(dim=1, keepdim=True)).unsqueeze(1)
            output = self.residual(z, total, linear, time_input[:, None], context)
            return ((output - left).square() * weights).mean()
        mean, std = mean[:, None, None], std[:, None, None]
        inputs = context["inputs"].repeat_interleave(rows, dim=0)
        output = self.network(clean * mean + noise * std, inputs, time_input[:, None])
        if self.about["target"] == "score":
            return (output * std + noise).square().mean()
        return (output - (noise * mean - clean * std)).square().mean()

    def step(self, noise=None):
        training = self.about["training"]
        if noise is None:
            noise = torch.randn(len(self.rows), *self.tensors["fields"].shape[1:])
        self.adam.zero_grad()
        loss = self.loss(noise)
        loss.backward()
        if training["clip"] > 0:
            torch.nn.utils.clip_grad_norm_(self.parameters, training["clip"])
        self.adam.step()
        if training["ema"] > 0:
            with torch.no_grad():
                torch._foreach_lerp_(self.average, self.parameters, 1 - training["ema"])
        return loss.item()

    def forward(self):
        with torch.inference_mode():
            x, inputs = self.tensors["forward/x"], self.tensors["forward/inputs"]
            at = self.about["forward"]
            rows = len(x)
            if self.about["target"] != "residual":
                # One condition and one time serve all rows.
                output = self.network(x, inputs, torch.full((1, 1), at["timeInput"]))
                return (output - x * at["onState"]) / at["onDenoised"]
            names = ("variances", "vectors")
            context = {"inputs": inputs, **{name: self.tensors[f"forward/{name}"] for name in names}}
            z = torch.bmm((x / at["mean"]).reshape(1, rows, -1), context["vectors"])
            levels = torch.full((1, 1, 1), at["level"])
            total, linear, error = self.gains(context["variances"], levels)
            time_input = torch.full((1, 1), at["timeInput"])
            denoised = z * linear + self.residual(z, total, linear, time_input, context) * error
            return torch.bmm(denoised, context["vectors"].transpose(1, 2)).reshape(x.shape)


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(1)
    peer.serve(Workload)
