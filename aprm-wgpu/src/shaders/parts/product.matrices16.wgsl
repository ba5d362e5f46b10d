// The matrices of most GPUs that Vulkan reaches.
enable f16;
enable wgpu_cooperative_matrix;
const TILE = 16u;
alias Left = coop_mat16x16<f16, A>;
alias Right = coop_mat16x16<f16, B>;
alias Sum = coop_mat16x16<f32, C>;
#import matrices
