import torch,time,sys,json,numpy as np
from torch import nn
from dataclasses import replace
from vlpbench.grid import open_grid, cells
import vlpbench.runner.workbench as wb, vlpbench.backbones.sizes as sz
from vlpbench.runner.workbench import *
from vlpbench.device import Device, prepare_process
from vlpbench.data.examples import caption_examples
from vlpbench.data.loader import Loader, Surgery
from vlpbench.data.images import prepare_images
from vlpbench.training.learner import *
from vlpbench.training.loop import train
from vlpbench.training.build import draw
import vlpbench.backbones.encoder_decoder as ed, vlpbench.parts as parts
prepare_process(Device("cpu"))
name=sys.argv[1]; size=json.loads(sys.argv[2]); extra=json.loads(sys.argv[3]); over=sys.argv[4:]
nano=replace(sz.SIZES["nano"],**{k:tuple(v) if isinstance(v,list) else v for k,v in size.items()}); wb.SIZES["nano"]=nano
g,reg=open_grid("demo",['split="val"','seeds=[0]','budget.samples=18000',*over]); c=[c for c in cells(g,reg,opened_here) if c.row=="prefix-lm"][0]; b=Workbench(c,reg,Device("cpu"))
bk=b.blueprint.build(b.needs)
torch.manual_seed(1)
if "text_std" in extra: nn.init.normal_(bk.text_positions.weight,std=extra["text_std"])
if "scale_embed" in extra: bk.words.weight.data*=extra["scale_embed"]
if "key_bias" in extra: pass
if extra.get("proj_std"): nn.init.normal_(bk.stem.project.weight,std=extra["proj_std"])
if extra.get("plain"):
    class Plain(nn.Module):
        def __init__(s, one=False):
            super().__init__(); L=[];ci=3
            for i,(co,st) in enumerate([(24,2),(24,1),(48,2),(48,1),(96,2),(96,1)]):
                k=1 if one and i%2 else 3
                cv=nn.Conv2d(ci,co,k,st,k//2,bias=False); nn.init.kaiming_normal_(cv.weight)
                L+=[cv,nn.BatchNorm2d(co),nn.ReLU()]; ci=co
            s.net=nn.Sequential(*L); s.project=nn.Linear(96,96)
        def forward(s,x): return s.project(s.net(x).flatten(2).transpose(1,2))
    bk.stem=Plain(extra["plain"]==2)
terms=[Term(p.weight,p.objective(p.config,bk.spec)) for p in b.terms]
L=Learner(bk,terms); s=c.settings
tr=b.split("digits","train","train"); va=b.split("digits","val","select")
ld=Loader(caption_examples(tr,b.tokenizer,s.text.length),[Surgery(p.objective.name,p.objective.corrupt,p.config) for p in b.terms],b.tokenizer.vocabulary,s.image,0,s.budget.batch,s.budget.samples//s.budget.batch)
t=time.time(); told=train(L,ld,s.optim,Device("cpu")); t=time.time()-t
ex=caption_examples(va,b.tokenizer,24); tok=torch.from_numpy(ex.tokens[ex.first]); m=torch.from_numpy(ex.mask[ex.first])
inp=torch.roll(tok,1,1); inp[:,0]=b.tokenizer.vocabulary.bos
with torch.no_grad(): 
    ctx=bk.context(bk.see(prepare_images(torch.from_numpy(np.array(va.pixels[ex.image_rows])),32)))
    p=bk.logits(bk.decode(ctx,bk.read(inp,m))).argmax(-1)
def ids(ws): return torch.tensor([b.tokenizer.encode([w],24)[0][0][0] for w in ws])
def acc(ws):
    w=torch.isin(tok,ids(ws))&m; return round(100*(p==tok)[w].float().mean().item(),1)
print(name,sys.argv[2:],"loss",round(told.curve[-1]["loss"],3),"digit",acc(["0","1","2","3","4"]),"colour",acc(["red","green","blue","yellow","white","cyan","magenta","orange","purple","pink"]),"place",acc(["left","right","top","bottom"]),f"{t:.0f}s",[round(r["loss"],2) for r in told.curve[::20]],flush=True)
