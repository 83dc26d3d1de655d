"""Sample in this process: no server, the same bits as any server's."""

import seedbed as sb

weight = sb.HeNormal(seed=42)((1024, 512), name="dense/kernel")
bias = sb.Zeros()((512,))
print("weight", weight.shape, weight.dtype, sb.digest_bytes(weight.tobytes()))
print("bias", bias.shape, bias.dtype)
